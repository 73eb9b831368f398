package main

// framework is one, with a handler that is right and others as they are usually got wrong.
type framework struct {
	name string // as in docs/check.md
	// lock is a file, and versions what to look for in it: "name as shown=pattern of the version".
	lock     string
	versions []string
	dir      string // where everything below is run, below compat/handlers
	build    []string
	start    []string // {} is the handler's name
	env      []string
	source   string // {} is the handler's name
	// mends are in the printed advice and, in this order, in the right handler; no mistaken handler
	// has them so. A framework that no answer tells gets its advice from docs/check.md.
	mends []string
	told  bool
	// limit is how the limit is raised, in the printed advice and in the handler "limit".
	limit   string
	mistake []mistake
}

// mistake is a handler as it is got wrong, and what has to be found.
type mistake struct{ handler, code, form, what string }

var express = framework{
	name: "Express 4, 5",
	lock: "package-lock.json",
	dir:  "node", start: []string{"node", "express.{}.mjs"}, source: "express.{}.mjs",
	mends: []string{"express.raw({type: 'application/json'})", "req.body", "app.use(express.json())"}, told: true,
	limit: "express.raw({type: 'application/json', limit: '1mb'})",
	mistake: []mistake{
		{"sample", "reserialised", "minimal_json", "`JSON.stringify(req.body)`, Aspect's sample"},
		{"parsed", "parsed_first", "", "`app.use(express.json())` above `express.raw()`"},
	},
}

// frameworks are in the order of the page.
var frameworks = []framework{
	express.as("EXPRESS=express", `Express=node_modules/express": {\s*"version": "(.*?)"`),
	{
		name: "FastAPI", lock: "requirements.txt", versions: []string{`FastAPI=fastapi==(\S+)`, `uvicorn=uvicorn==(\S+)`, pySvix},
		dir: "python", start: []string{"../.venv/bin/uvicorn", "fastapi_{}:app", "--port", "{port}"}, source: "fastapi_{}.py",
		mends: []string{"async def handler(request: Request):", "body = await request.body()"}, told: true,
		mistake: []mistake{
			{"dumped", "reserialised", "python_json", "`json.dumps(await request.json())`"},
			{"model", "reserialised", "struct", "a Pydantic model's `model_dump_json()`"},
		},
	},
	{
		name: "gin", lock: "go.mod", versions: []string{`gin=gin-gonic/gin v(\S+)`, goSvix},
		dir: "gin", build: []string{"go", "build", "-o", "{temp}/gin/", "./..."}, start: []string{"{temp}/gin/{}"}, source: "{}/main.go",
		env: []string{"GIN_MODE=release"}, mends: []string{"c.GetRawData()"},
		mistake: []mistake{
			{"mapped", "reserialised", "go_json", "`json.Marshal` of a map from `ShouldBindJSON`"},
			{"consumed", "consumed", "", "`ShouldBindJSON` before `io.ReadAll`"},
		},
	},
}

const (
	pySvix   = `svix=svix==(\S+)`
	goSvix   = `svix=svix/svix-webhooks v(\S+)`
	nodeSvix = `svix=node_modules/svix": {\s*"version": "(.*?)"`
)

// as is a framework with this version of its library.
func (f framework) as(env, version string) framework {
	f.env, f.versions = append(f.env, env), []string{version, nodeSvix}
	return f
}

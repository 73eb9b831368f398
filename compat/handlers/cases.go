package main

// framework is one, with a handler that is right and others as they are usually got wrong.
type framework struct {
	name string // as in docs/check.md
	dir  string // where everything below is, below compat/handlers
	// lock is a file, and versions what to look for in it: "name as shown=pattern of the version".
	lock     string
	versions []string
	// Of these, {} is the handler's name, {port} its port and {temp} a folder for programs.
	build  []string
	start  []string
	env    []string
	source string
	path   string // "" is /webhooks/aspect
	// mends are in the advice and, in this order, in the right handler; a mistaken handler does not
	// have them so.
	mends []string
	// limit, if not "", is how the limit is raised: in the advice and in the handler "limit".
	limit   string
	mistake []mistake
}

// mistake is a handler as it is got wrong, and what has to be found.
type mistake struct {
	handler, code, form, what string
	mends                     []string // in place of the framework's
	// drops is in this handler and in the advice, and not in the right handler: it may have mends.
	drops string
	// told says that answers tell the framework: then the advice is what check prints, else it is
	// the framework's row in docs/check.md.
	told bool
}

// versions of Svix's libraries.
const (
	pySvix   = `svix=svix==(\S+)`
	goSvix   = `svix=svix/svix-webhooks v(\S+)`
	nodeSvix = `svix=node_modules/svix": {\s*"version": "(.*?)"`
)

// ofNode is a framework of the package in node/.
func ofNode(f framework, name, module string) framework {
	f.dir, f.lock = "node", "package-lock.json"
	f.versions = []string{name + `=node_modules/` + module + `": {\s*(?:"name": ".*",\s*)?"version": "(.*?)"`, nodeSvix}
	if f.source == "" {
		f.source = module + ".{}.mjs"
	}
	f.start = []string{"node", f.source}
	return f
}

// ofExpress is a version of Express: the handlers are the same.
func ofExpress(module string, more ...mistake) framework {
	return ofNode(framework{
		name: "Express 4, 5", source: "express.{}.mjs", env: []string{"EXPRESS=" + module},
		mends: []string{"express.raw({type: 'application/json'})", "req.body", "app.use(express.json())"},
		limit: "express.raw({type: 'application/json', limit: '1mb'})",
		mistake: append([]mistake{
			{handler: "sample", code: "reserialised", form: "minimal_json", what: "`JSON.stringify(req.body)`, Aspect's sample", told: true},
			{handler: "parsed", code: "parsed_first", what: "`app.use(express.json())` above `express.raw()`", told: true},
		}, more...),
	}, "Express", module)
}

// ofPython is a framework of the environment in python/.
func ofPython(f framework, start []string, versions ...string) framework {
	f.dir, f.lock, f.versions = "python", "requirements.txt", append(versions, pySvix)
	f.start = append([]string{"../.venv/bin/python", "-m"}, start...)
	return f
}

// ofGo is a framework with a module of its own.
func ofGo(f framework, version string) framework {
	f.dir, f.lock, f.versions = f.name, "go.mod", []string{f.name + "=" + version + ` v(\S+)`, goSvix}
	f.build, f.start = []string{"go", "build", "-o", "{temp}/" + f.name + "/", "./..."}, []string{"{temp}/" + f.name + "/{}"}
	f.source = "{}/main.go"
	return f
}

// frameworks are in the order of the page.
var frameworks = []framework{
	ofExpress("express"),
	ofExpress("express4", mistake{handler: "unparsed", code: "consumed", what: "no parser for JSON, so that `req.body` is `{}`", told: true}),
	ofNode(framework{
		name: "Nest", source: "nest.{}.mjs", env: []string{"NO_COLOR=1"}, mends: []string{"req.rawBody", "NestFactory.create(AppModule, {rawBody: true})"},
		limit:   "app.useBodyParser('json', {limit: '1mb'})",
		mistake: []mistake{{handler: "parsed", code: "reserialised", form: "minimal_json", what: "`JSON.stringify(req.body)`", told: true}},
	}, "Nest", "@nestjs/core"),
	ofNode(framework{
		name: "Fastify", limit: "Fastify({bodyLimit: 1048576 + 1024})",
		mends: []string{"addContentTypeParser('application/json', {parseAs: 'buffer'}, (req, body, done) => done(null, body))", "req.body"},
		mistake: []mistake{
			{handler: "parsed", code: "reserialised", form: "minimal_json", what: "`JSON.stringify(request.body)`"},
			{handler: "object", code: "parsed_first", what: "`request.body`, an object", told: true},
		},
	}, "Fastify", "fastify"),
	ofNode(framework{
		name: "Hono", mends: []string{"await c.req.text()"},
		mistake: []mistake{{handler: "parsed", code: "reserialised", form: "minimal_json", what: "`JSON.stringify(await c.req.json())`"}},
	}, "Hono", "hono"),
	ofNode(framework{
		name: "Koa", mends: []string{"ctx.request.rawBody"},
		mistake: []mistake{{handler: "parsed", code: "reserialised", form: "minimal_json", what: "`JSON.stringify(ctx.request.body)`"}},
	}, "Koa", "koa"),
	{
		name: "Next.js", dir: "next", lock: "package-lock.json", versions: []string{`Next.js=node_modules/next": {\s*"version": "(.*?)"`, nodeSvix},
		build: []string{"node", "node_modules/next/dist/bin/next", "build"}, start: []string{"node", "node_modules/next/dist/bin/next", "start", "-p", "{port}"},
		env: []string{"NEXT_TELEMETRY_DISABLED=1"}, source: "app/{}/webhooks/aspect/route.js", path: "/{}/webhooks/aspect",
		mends:   []string{"const body = Buffer.from(await req.arrayBuffer())"},
		mistake: []mistake{{handler: "parsed", code: "reserialised", form: "minimal_json", what: "`JSON.stringify(await req.json())`"}},
	},
	ofPython(framework{
		name: "FastAPI", source: "fastapi_{}.py",
		mends: []string{"async def handler(request: Request):", "body = await request.body()"},
		mistake: []mistake{
			{handler: "dumped", code: "reserialised", form: "python_json", what: "`json.dumps(await request.json())`", told: true},
			{handler: "model", code: "reserialised", form: "struct", what: "a Pydantic model's `model_dump_json()`", told: true},
		},
	}, []string{"uvicorn", "fastapi_{}:app", "--port", "{port}"}, `FastAPI=fastapi==(\S+)`, `uvicorn=uvicorn==(\S+)`),
	ofPython(framework{
		name: "Flask", source: "flask_{}.py", mends: []string{"request.get_data()"},
		mistake: []mistake{
			{handler: "dumped", code: "reserialised", form: "python_json", what: "`json.dumps(request.json)`", told: true},
			{handler: "compact", code: "reserialised", form: "python_json", what: "the same with `separators=(',', ':')`", told: true},
		},
	}, []string{"flask", "--app", "flask_{}", "run", "--port", "{port}"}, `Flask=Flask==(\S+)`, `Werkzeug=Werkzeug==(\S+)`),
	ofPython(framework{
		name: "Django", source: "django_{}.py", env: []string{"HANDLER={}", "DJANGO_SETTINGS_MODULE=django_settings", "PYTHONPATH=."},
		mends: []string{"request.body", "json.loads"},
		mistake: []mistake{
			{handler: "dumped", code: "reserialised", form: "python_json", what: "`json.dumps(json.loads(request.body))`", told: true},
			{handler: "csrf", code: "auth", what: "no `@csrf_exempt`", mends: []string{"@csrf_exempt"}, told: true},
		},
	}, []string{"django", "runserver", "--noreload", "{port}"}, `Django=Django==(\S+)`),
	ofPython(framework{
		name: "aiohttp", source: "aiohttp_{}.py", mends: []string{"body = await request.read()"}, limit: "web.Application(client_max_size=2**21)",
		mistake: []mistake{{handler: "dumped", code: "reserialised", form: "python_json", what: "`json.dumps(await request.json())`", told: true}},
	}, []string{"aiohttp_{}"}, `aiohttp=aiohttp==(\S+)`),
	{
		name: "net/http", dir: "nethttp", lock: "go.mod", versions: []string{goSvix}, source: "{}/main.go",
		build: []string{"go", "build", "-o", "{temp}/nethttp/", "./..."}, start: []string{"{temp}/nethttp/{}"}, mends: []string{"io.ReadAll(r.Body)"},
		mistake: []mistake{
			{handler: "mapped", code: "reserialised", form: "go_json", what: "`json.Marshal` of a map"},
			{handler: "typed", code: "reserialised", form: "struct", what: "`json.Marshal` of a struct"},
		},
	},
	ofGo(framework{
		name: "gin", env: []string{"GIN_MODE=release"}, mends: []string{"c.GetRawData()"},
		mistake: []mistake{
			{handler: "mapped", code: "reserialised", form: "go_json", what: "`json.Marshal` of a map from `ShouldBindJSON`"},
			{handler: "consumed", code: "consumed", what: "`ShouldBindJSON` before `io.ReadAll`", drops: "ShouldBindJSON"},
		},
	}, `gin-gonic/gin`),
	ofGo(framework{
		name: "echo", mends: []string{"io.ReadAll(c.Request().Body)"},
		mistake: []mistake{
			{handler: "mapped", code: "reserialised", form: "go_json", what: "`json.Marshal` of a map from `c.Bind`"},
			{handler: "consumed", code: "consumed", what: "`c.Bind` before `io.ReadAll`", drops: "c.Bind"},
		},
	}, `labstack/echo/v4`),
	{
		name: "axum", dir: "axum", lock: "Cargo.lock", versions: []string{`axum=name = "axum"\nversion = "(.*?)"`, `svix=name = "svix"\nversion = "(.*?)"`},
		build: []string{"cargo", "build", "--locked", "--bins"}, start: []string{"target/debug/{}"}, source: "src/bin/{}.rs",
		mends:   []string{"body: Bytes"},
		mistake: []mistake{{handler: "parsed", code: "reserialised", form: "sorted_json", what: "`Json(event): Json<Value>`, and `event.to_string()`"}},
	},
}

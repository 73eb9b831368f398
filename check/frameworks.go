package check

import (
	"bytes"
	"slices"
	"strings"
)

// Framework is what makes a handler of a framework right, as [docs/check.md] has it too.
type Framework struct {
	Name string
	// told reports whether an answer tells this framework.
	told func(a answer) bool
	// Raw is how the raw body is had, and Limit how its limit is raised.
	Raw, Limit string
	// Other are mendings by code.
	Other map[string]string
}

func header(name, part string) func(answer) bool {
	return func(a answer) bool { return strings.Contains(strings.ToLower(a.Header.Get(name)), part) }
}

const pythonErrors = "Python: except Exception, not only WebhookVerificationError"

// Frameworks are looked at in this order: the first that an answer tells is named.
var Frameworks = []Framework{
	{Name: "Nest", told: func(a answer) bool {
		return a.Header.Get("X-Powered-By") == "Express" && bytes.Contains(a.Body, []byte(`"statusCode":`))
	},
		Raw:   "Nest: NestFactory.create(AppModule, {rawBody: true}), and verify req.rawBody",
		Limit: "Nest: app.useBodyParser('json', {limit: '1mb'})"},
	{Name: "Express", told: header("X-Powered-By", "express"),
		Raw:   "Express: app.post(path, express.raw({type: 'application/json'}), …) before app.use(express.json()), and verify req.body",
		Limit: "Express: express.raw({type: 'application/json', limit: '1mb'})"},
	{Name: "Next.js", told: header("X-Powered-By", "next"),
		Raw: "Next.js: const body = Buffer.from(await req.arrayBuffer()), and verify body"},
	{Name: "Fastify", told: func(a answer) bool { return bytes.Contains(a.Body, []byte(`"FST_ERR_`)) },
		Raw:   "Fastify: addContentTypeParser('application/json', {parseAs: 'buffer'}, (req, body, done) => done(null, body)), and verify req.body",
		Limit: "Fastify: Fastify({bodyLimit: 1048576 + 1024})"},
	{Name: "aiohttp", told: header("Server", "aiohttp"),
		Raw: "aiohttp: body = await request.read(), and verify body", Limit: "aiohttp: web.Application(client_max_size=2**21)",
		Other: map[string]string{"forged_5xx": pythonErrors, "malformed_5xx": pythonErrors}},
	{Name: "Django", told: func(a answer) bool { // helmet for Node has other values in these headers
		return a.About("csrf verification failed") || a.Header.Get("Cross-Origin-Opener-Policy") == "same-origin" && a.Header.Get("Referrer-Policy") == "same-origin"
	},
		Raw: "Django: verify request.body, and json.loads it afterwards", Limit: "Django: DATA_UPLOAD_MAX_MEMORY_SIZE",
		Other: map[string]string{"auth": "Django: @csrf_exempt on the view", "redirect": "Django: APPEND_SLASH adds the slash at the end of the path",
			"forged_5xx": pythonErrors, "malformed_5xx": pythonErrors}},
	{Name: "FastAPI", told: func(a answer) bool {
		return header("Server", "uvicorn")(a) && bytes.HasPrefix(a.Body, []byte(`{"detail":`))
	},
		Raw:   "FastAPI: async def handler(request: Request): body = await request.body(), no model as a parameter, and verify body",
		Other: map[string]string{"forged_5xx": pythonErrors, "malformed_5xx": pythonErrors}},
	{Name: "Flask", told: func(a answer) bool {
		served := header("Server", "gunicorn")(a) || header("Server", "waitress")(a) // Quart, which has the same pages, is served by others
		return header("Server", "werkzeug")(a) || served && bytes.HasPrefix(a.Body, []byte("<!doctype html>\n<html lang=en>\n<title>"))
	},
		Raw: "Flask: verify request.get_data(), before request.json or request.form", Limit: "Flask: MAX_CONTENT_LENGTH",
		Other: map[string]string{"forged_5xx": pythonErrors, "malformed_5xx": pythonErrors}},
	{Name: "another on a Python server", told: func(a answer) bool { return header("Server", "uvicorn")(a) || header("Server", "waitress")(a) },
		Other: map[string]string{"forged_5xx": pythonErrors, "malformed_5xx": pythonErrors}},
}

// mending is what to do about a finding in the framework that answers tell, "" if none does.
func mending(code string, answers []answer) string {
	for _, f := range Frameworks {
		if !slices.ContainsFunc(answers, f.told) {
			continue
		}
		switch code {
		case "reserialised", "consumed", "parsed_first", "trimmed", "latin1", "chunks":
			return f.Raw
		case "limit":
			return f.Limit
		}
		return f.Other[code]
	}
	return ""
}

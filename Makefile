# The everyday commands. Nothing here is needed to build: go build does.

.PHONY: help demo build test race bench scale pixel shared soak faults compat compat-streams compat-tunnels fuzz lint lines golden frames pictures gate release release-check
.DEFAULT_GOAL := help

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: ## show the whole program with nothing configured
	go run . demo

build: ## one static file
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o aspectop .

test: ## run the tests
	go test ./...

race: ## run the tests under the race detector
	go test -race ./...

bench: ## receiving, beside a bare handler and the provider's Node sample, and among strangers; a check of a handler; 6 minutes
	go test -run '^$$' -bench 'Receive|Profile|Strangers|Check' -benchtime 1x -timeout 30m ./bench

scale: ## how each cost grows from 1,000 to 100,000 tasks, and what it costs to be at rest; 2 minutes
	go test -run '^$$' -bench 'Scale|Rest' -benchtime 1x -timeout 30m ./bench

pixel: ## from a POST to the id on a terminal, beside a bare Bubble Tea program; 5 minutes
	go test -run '^$$' -bench Pixel -benchtime 1x -timeout 30m ./bench

shared: ## receiving into PostgreSQL, and what viewers cost it; 6 minutes
	go test -run '^$$' -bench 'Shared|Viewers' -benchtime 1x -timeout 30m ./bench

soak: ## an hour of 50 deliveries a second with the screen open (SOAK=10m for less)
	go test ./bench -count 1 -run TestSoak -timeout 0 -v -soak $(or $(SOAK),1h)

faults: ## kills, power cuts, full and failing disks, damaged files and the like, under load; 25 minutes
	go test ./e2e -run TestFaults -long -count 1 -v -timeout 60m

compat: build ## check of handlers in real frameworks, wrong and mended; needs Node, Python and Rust; 6 minutes at first
	cd compat/handlers/node && npm ci --no-audit --no-fund
	cd compat/handlers/next && npm ci --no-audit --no-fund
	cd compat/handlers && python3 -m venv .venv && .venv/bin/pip install -q -r python/requirements.txt
	cd compat && go run ./handlers -write ../docs/compatibility.md

compat-streams: build ## event streams of real stacks, beside other clients; needs Node, Python and nginx; 5 minutes
	cd compat/node && npm ci --no-audit --no-fund
	cd compat && python3 -m venv .venv && .venv/bin/pip install -q -r python/requirements.txt && go run .

compat-tunnels: build ## nginx, haproxy, caddy, apache, envoy and ssh in front of the program; needs them, and Python; 2 minutes
	cd compat && python3 -m venv .venv && .venv/bin/pip install -q -r tunnels/requirements.txt && go run ./tunnels -write ../docs/compatibility.md

FUZZTIME ?= 1m

fuzz: ## a minute for each fuzz target, or FUZZTIME
	@set -e; grep -rho --include='*_test.go' '^func Fuzz[A-Za-z]*' . | sort | while read -r _ name; do \
		for file in $$(grep -rl --include='*_test.go' "^func $$name(" .); do \
			echo "$$name in $$(dirname "$$file")"; \
			go test "$$(dirname "$$file")" -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME); \
		done; \
	done

lint: ## check formatting, go vet, staticcheck
	gofmt -l .
	go vet ./...
	go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

lines: ## count the shipped lines of Go by room, without tests, their helpers and tools
	@find * -name '*.go' | grep -Ev '_test\.go$$|(^|/)(e2e|bench|compat|findings|journaltest|pgtest|feedtest)/' | xargs awk '\
		{ n = split(FILENAME, path, "/"); lines[n > 1 ? path[1] "/" : "main.go"]++ } \
		END { for (room in lines) printf "%7d  %s\n", lines[room], room | "sort -rn"; \
			close("sort -rn"); printf "%7d  in all\n", NR }'

golden: ## accept the frames as they are drawn now; look at git diff first
	go test ./ui -update

frames: ## a contact sheet of all views for each depth of colours, in frames/, to be looked at
	go test ./ui -count 1 -run ContactSheets -sheets ../frames

pictures: ## redraw the pictures in the README
	go test ./e2e -run Pictures -update

release: ## archives, packages, bill of materials and checksums in dist/
	go run ./.ci/release

release-check: ## make the release twice: the same commit gives the same bytes
	go run ./.ci/release -twice

gate: ## all that has to pass before a change lands
	.ci/run

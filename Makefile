# The everyday commands. Nothing here is needed to build: go build does.

.PHONY: demo test race bench fuzz lint gate pictures golden build

demo: ## show the whole program with nothing configured
	go run . demo

build: ## one static file
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o aspectop .

test:
	go test ./...

race:
	go test -race ./...

bench: ## the side-by-side table: receiving against a bare handler
	go test -run '^$$' -bench Receive ./bench

fuzz: ## a minute for each fuzz target
	go test -run '^$$' -fuzz FuzzDecode -fuzztime 1m ./model

lint:
	gofmt -l .
	go vet ./...
	go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

golden: ## keep the frames anew, after looking at the difference
	go test ./ui -update

pictures: ## draw the README's pictures anew
	go test ./ui -run Pictures -update

gate: ## all that has to pass before a change lands
	.ci/run

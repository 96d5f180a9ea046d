# make prints what it can do. Building and running need Go and PostgreSQL 15 or newer;
# the tests with real MCP clients and the console need npm as well.

GO ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

.PHONY: help
help: ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: postgres build ## try it: a database of its own, two tenants with demo data, a server on 127.0.0.1:8080
	@bin/colaflow demo

.PHONY: build
build: ## build bin/colaflow
	@$(GO) build -trimpath -ldflags '-X main.release=$(VERSION)' -o bin/colaflow ./cmd/colaflow

.PHONY: bundle
bundle: ## build dist/colaflow.mcpb, by which Claude Desktop installs ColaFlow (for macOS, Windows and Linux)
	@$(GO) run ./cmd/bundle -version '$(VERSION)' -o dist/colaflow.mcpb

.PHONY: test
test: postgres pgbouncer nginx chromium providers ## run every test, on a real PostgreSQL
	$(GO) vet ./...
	$(GO) test -timeout 20m ./...

.PHONY: race
race: postgres pgbouncer ## run the tests of what is shared between calls under the race detector (needs a C compiler)
	$(GO) test -race -short -timeout 25m ./tenancy ./tokens ./store ./mcpserver ./web

.PHONY: bench
bench: postgres ## measure calls a second against bare mcp-go and pgx, and what tokens, streams and reports cost (about 10 minutes)
	$(GO) test -run '^$$' -bench '^Benchmark(Calls|Tokens|Revocation|Streams|Neighbour|Me|Reports)$$' -timeout 30m ./bench

.PHONY: bench-search
bench-search: postgres ## measure searches among a million issues (about 15 minutes)
	$(GO) test -run '^$$' -bench '^BenchmarkSearch$$' -timeout 60m ./bench

.PHONY: bench-console
bench-console: postgres chromium ## measure the console: what it loads, how fast it shows, what it keeps (about 3 minutes)
	COLAFLOW_FIGURES=1 $(GO) test -count=1 -run '^TestFigures$$' -v ./tests/console

.PHONY: fuzz
fuzz: ## fuzz each parser of foreign bytes for 20 seconds (about 10 minutes)
	@scripts/fuzz

.PHONY: lint
lint: ## check formatting and vet
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'run: gofmt -w .'; exit 1; }
	$(GO) vet ./...
	$(GO) vet -tags conformance ./mcpserver

.PHONY: generate
generate: build ## write the pages of docs/ that are made from the program
	@bin/colaflow docs docs

.PHONY: console
console: ## build the web console into web/dist (needs Node.js 20.19 or newer)
	cd web/console && npm ci --no-audit --no-fund && npm test && npm run build

.PHONY: verify
verify: lint build console ## check that what is generated is up to date
	@bin/colaflow docs --check docs
	$(GO) mod tidy -diff
	@test -z "$$(git status --porcelain web/dist)" || { git status --short web/dist; echo 'commit what make console built'; exit 1; }

.PHONY: pgbouncer
pgbouncer: ## install PgBouncer, which tests go through, if there is none
	@scripts/pgbouncer

.PHONY: nginx
nginx: ## install nginx, which the tests of several nodes go through, if there is none
	@scripts/nginx

.PHONY: providers
providers: ## install SimpleSAMLphp, which the tests of sign-in go through, if there is none
	@scripts/providers

.PHONY: chromium
chromium: ## install Chromium, which the tests of the console drive, if there is none
	@scripts/chromium

.PHONY: postgres
postgres: ## install PostgreSQL if there is none
	@scripts/postgres

# `make` alone lists what there is.
.DEFAULT_GOAL := help

GO            ?= go
LINT_VERSION  := v2.15.0
LINT          := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
BINARY        := bin/vital
# What is built in one way is compiled once.
PLAIN         := CGO_ENABLED=0 GOFLAGS=-trimpath

.PHONY: help run build test e2e client client-fresh lint fmt console bench schema

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: console build ## Install what is missing, build, and serve the demo on a private Postgres (ARGS="--listen …")
	@.ci/require postgres
	$(BINARY) up $(ARGS)

build: ## Build bin/vital, one static binary
	$(PLAIN) $(GO) build -o $(BINARY) ./cmd/vital

# Where tests keep what they throw away.
test e2e client: export TMPDIR := $(shell .ci/scratch)

# Tests that do one thing after the other to a database race with nothing, and take three times as long with the race detector.
SEQUENTIAL := ^Test(AttackHTTP|Backups|Certificate|Check|Compare|Explain|Implies|Indexes|Infer|Lint|ListGates|Matrix|Mutate|PerfExplain|Plans|Proof|Prove|ReadMatrix|RLS|Run_Checks|RunCheck|SignGate|Statements|Try_|Try$$|Up_|Weekly|WithoutValues)

test: ## Install what is missing and run every test: Go's, with the race detector where anything is concurrent, then e2e and the client's
	@.ci/require postgres pgtap redis pgbouncer promtool cc
	$(PLAIN) $(GO) vet ./...
	CGO_ENABLED=1 $(GO) test -race -vet=off -p 3 -parallel 3 -timeout 20m -skip '$(SEQUENTIAL)' ./...
	$(PLAIN) $(GO) test -vet=off -p 3 -parallel 3 -timeout 20m -run '$(SEQUENTIAL)' \
	  $$(grep -lrE 'func $(SEQUENTIAL:^%=%)' --include='*_test.go' internal | xargs -n1 dirname | sort -u | sed 's,^,./,')
	@$(MAKE) --no-print-directory e2e client

e2e: console build e2e/node_modules/.package-lock.json ## Run the unmodified supabase-js, OpenFeature's SDKs and a real browser against bin/vital
	@.ci/require postgres chromium
	cd console && npm test
	cd e2e && npm test

e2e/node_modules/.package-lock.json: e2e/package-lock.json
	@.ci/require node
	cd e2e && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

client: build clients/typescript/node_modules/.package-lock.json ## Build and test the TypeScript client: a real server, React 18 and 19, a browser
	@.ci/require postgres chromium
	cd clients/typescript && npm test

client-fresh: build clients/typescript/node_modules/.package-lock.json ## Paste the README's page into a new Vite app with the packed client (asks npm's registry for today's versions)
	@.ci/require postgres chromium
	cd clients/typescript && npm run test:fresh

clients/typescript/node_modules/.package-lock.json: clients/typescript/package-lock.json
	@.ci/require node
	cd clients/typescript && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

lint: ## Report what the linters find; changes nothing
	@if command -v golangci-lint >/dev/null 2>&1; then golangci-lint run ./...; \
	elif $(GO) run $(LINT) version >/dev/null 2>&1; then $(GO) run $(LINT) run ./...; \
	else echo "golangci-lint cannot be had here: go vet and staticcheck instead"; \
	  $(GO) vet ./... && $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...; fi

fmt: ## Format the Go code
	gofmt -w $$($(GO) list -f '{{.Dir}}' ./...)

console: console/dist/index.html ## Build the web console into console/dist, for the next `make build` to carry

console/dist/index.html: console/node_modules/.package-lock.json console/index.html console/vite.config.ts $(shell find console/src console/public clients/typescript/src -type f)
	cd console && npm run --silent build

console/node_modules/.package-lock.json: console/package-lock.json
	@.ci/require node
	cd console && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

bench: build ## Measure the scenarios of bench/ (SCENARIOS="context rls …")
	@.ci/require postgres
	$(GO) run ./bench $(SCENARIOS)

schema: ## Write what is generated anew: database/schema.sql, docs/reference/cli.md, docs/explanation/ownership.md
	@.ci/require postgres
	VITAL_UPDATE=1 $(GO) test -count=1 -run 'Schema|Reference' ./internal/schema ./internal/cli

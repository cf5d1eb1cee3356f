# Picora's commands. "make help" lists them.
SHELL := /bin/bash
GO ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
LDFLAGS := -s -w $(if $(VERSION),-X picora/app/cli.version=$(VERSION))
FUZZTIME ?= 60s
PICGO := app/testdata/picgo/node_modules/.package-lock.json

.DEFAULT_GOAL := build

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: run
run: build ## build and serve on port 3102, data in ./data
	./picora serve --data ./data

.PHONY: build
build: tools ## build the program ./picora
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o picora .

.PHONY: test
test: tools $(PICGO) ## all tests, with the race detector
	$(GO) test -race -shuffle=on -timeout 15m ./...

.PHONY: lint
lint: tools ## gofmt, go vet, staticcheck
	@files=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$files" ] || { echo "not gofmt-ed:"; echo "$$files"; exit 1; }
	$(GO) vet ./... && $(GO) vet -tags bench ./...
	$(GO) tool staticcheck ./...

.PHONY: fuzz
fuzz: tools ## every fuzz target for FUZZTIME (60s) each
	@$(GO) list ./... | while read -r pkg; do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
	    echo "== $$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x $$pkg || exit 1; \
	  done; done

.PHONY: bench
bench: build ## the numbers, side by side with nginx and plain net/http
	./.ci/need nginx wrk
	$(GO) test -tags bench -count=1 -timeout 60m -run '^TestBench' -v ./app/bench

.PHONY: golden
golden: ## refresh the goldens of the API tests
	PICORA_GOLDEN=write $(GO) test ./app/api

.PHONY: generate
generate: ## refresh generated code
	$(GO) generate ./...

# What the other targets need and a fresh Debian may lack.
.PHONY: tools
tools:
	@./.ci/need $(GO) gcc node npm

$(PICGO): app/testdata/picgo/package.json app/testdata/picgo/package-lock.json
	cd app/testdata/picgo && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $@

# Picora's commands. "make help" lists them.
SHELL := /bin/bash
GO ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
LDFLAGS := -s -w $(if $(VERSION),-X picora/app/cli.version=$(VERSION))
FUZZTIME ?= 60s
TAGS := netgo,osusergo
# What cgo needs, found when a recipe runs: by then the libraries are built.
ENV = eval "$$(media/av/ffmpeg.sh --env)";
PICGO := app/testdata/picgo/node_modules/.package-lock.json
NPM_CI := npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
MODULES := web/node_modules/.package-lock.json
DASHBOARD := web/dist/index.html
# The S3 server of the tests (Apache License 2.0), built once.
export VERSITYGW := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/picora/versitygw-1.8.0/versitygw

# The server that uploads in pieces are measured beside (MIT), built once.
export TUSD := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/picora/tusd-2.8.0/tusd

.DEFAULT_GOAL := build

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: run
run: build ## build and serve on port 3102, data in ./data
	./picora serve --data ./data

.PHONY: build
build: ffmpeg web ## build the program ./picora
	@$(ENV) set -x; CGO_ENABLED=1 $(GO) build -trimpath -tags $(TAGS) -ldflags '$(LDFLAGS)' -o picora .

.PHONY: release
release: export RELEASE = 1
release: ffmpeg web ## one static program in ./dist, with checksums and licence papers
	rm -rf dist && mkdir dist
	@$(ENV) set -x; CGO_ENABLED=1 $(GO) build -trimpath -tags $(TAGS) -ldflags '$(LDFLAGS) -linkmode external -extldflags -static' -o dist/picora .
	! ldd dist/picora && env -i dist/picora version
	cp LICENSE NOTICE dist/
	cd "$$(media/av/ffmpeg.sh --prefix)" && cat sources configuration >$(CURDIR)/dist/FFMPEG
	cd dist && sha256sum -- * >SHA256SUMS

.PHONY: check-release
check-release: release ## run the program in ./dist in an empty chroot (as root): upload, transform, stop
	./.ci/need curl
	./.ci/check-release

.PHONY: test
test: ffmpeg sounds web $(PICGO) $(VERSITYGW) ## all tests, with the race detector; those of memory without; those of the dashboard in a browser
	@./.ci/need chromium fonts-noto-cjk ffmpeg
	@$(ENV) set -ex; $(GO) test -race -shuffle=on -timeout 30m ./...; $(GO) test ./media/worker; $(GO) test -run Million ./app/limit
	@$(MAKE) --no-print-directory e2e

.PHONY: lint
lint: ffmpeg ## gofmt, go vet, staticcheck
	@files=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$files" ] || { echo "not gofmt-ed:"; echo "$$files"; exit 1; }
	@$(MAKE) --no-print-directory check-web
	@$(ENV) set -ex; $(GO) vet ./...; $(GO) vet -tags bench,proxies ./...; $(GO) tool staticcheck ./...

$(VERSITYGW):
	CGO_ENABLED=0 GOBIN=$(@D) $(GO) install github.com/versity/versitygw/cmd/versitygw@v1.8.0

$(TUSD):
	@mkdir -p $(@D)
	at=$$(mktemp -d) && cd $$at && $(GO) mod init peer && $(GO) mod edit -require github.com/tus/tusd/v2@v2.8.0 && \
	  CGO_ENABLED=0 $(GO) build -mod=mod -o $@ github.com/tus/tusd/v2/cmd/tusd && rm -r $$at

.PHONY: web
web: $(DASHBOARD) ## build the dashboard into web/dist

$(DASHBOARD): $(MODULES) $(shell find web/src web/index.html web/reference.html web/vite.config.ts web/svelte.config.js web/tsconfig.json -type f) app/api/openapi.yaml
	cd web && npx --no vite build --logLevel warn
	@touch $@

$(MODULES): web/package.json web/package-lock.json
	cd web && $(NPM_CI)
	@touch $@

.PHONY: check-web
check-web: $(MODULES) ## types, and that all languages have all texts
	cd web && npx --no -- svelte-check --fail-on-warnings && node --test src/

.PHONY: e2e
e2e: build ## the dashboard in Chromium, against the real program
	@./.ci/need chromium fonts-noto-cjk ffmpeg
	cd web && npx --no playwright test

.PHONY: lighthouse
lighthouse: build ## Lighthouse's marks of sign-in, library, gallery and guide: the median of three
	@./.ci/need chromium ffmpeg
	cd web && npx --no playwright test -c lighthouse

.PHONY: fuzz
fuzz: ffmpeg ## every fuzz target for FUZZTIME (60s) each
	@$(ENV) $(GO) list ./... | while read -r pkg; do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
	    echo "== $$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x $$pkg || exit 1; \
	  done; done

.PHONY: bench
bench: build ## the numbers, side by side with nginx and plain net/http
	./.ci/need nginx wrk
	@$(ENV) set -x; $(GO) test -tags bench -count=1 -timeout 60m -run '^TestBench' -v ./app/bench

.PHONY: bench-images
bench-images: build ## the numbers of pictures, side by side with libvips
	./.ci/need wrk libvips-dev pkg-config
	@$(ENV) set -x; $(GO) test -tags bench -count=1 -timeout 60m -run '^TestImages' -v ./app/bench

.PHONY: bench-video
bench-video: build ## the numbers of video, side by side with the ffmpeg command
	./.ci/need ffmpeg
	@$(ENV) set -x; $(GO) test -tags bench -count=1 -timeout 60m -run '^TestVideo' -v ./app/bench

.PHONY: bench-uploads
bench-uploads: build $(TUSD) $(VERSITYGW) ## uploads in pieces beside plain ones and tusd, reads from a bucket beside the S3 server
	./.ci/need ffmpeg iproute2 nginx
	@$(ENV) set -x; $(GO) test -tags bench -count=1 -timeout 60m -run '^TestUploads' -v ./app/bench

.PHONY: bench-library
bench-library: ffmpeg ## lists and searches with a million files
	@$(ENV) set -x; $(GO) test -tags bench -count=1 -timeout 60m -run '^TestLibrary' -v ./app/bench

.PHONY: bench-access
bench-access: ffmpeg ## what it costs to know a key, keep a limit, count a byte
	@$(ENV) set -x; $(GO) test -count=1 -run '^$$' -bench . -benchmem ./app/auth ./app/limit ./app/usage
	@$(ENV) set -x; $(GO) test -count=1 -run '^TestTwoHundredSignIns' -v ./app

.PHONY: bench-dashboard
bench-dashboard: build ## the library with 100,000 files in Chromium: how soon it shows, how much of it is in memory
	@./.ci/need chromium
	@$(ENV) cd web && npx --no playwright test -c bench.config.ts

.PHONY: soak-images
soak-images: ffmpeg ## ten thousand damaged pictures, sent to a server and to workers
	@$(ENV) set -x; PICORA_SOAK=10000 $(GO) test -count=1 -timeout 60m -run '^TestSoak$$' -v ./app

.PHONY: soak-videos
soak-videos: ffmpeg ## the whole corpus of videos through a server, two thousand damaged ones, hostile ones, crashes
	@./.ci/need ffmpeg
	@$(ENV) set -x; PICORA_SOAK=2000 $(GO) test -count=1 -timeout 180m -run 'Videos?|TestAKilledWorkerIsReplaced' -v ./app

.PHONY: check-proxies
check-proxies: ffmpeg ## nginx and Caddy with what the guide says, in front of a server
	@./.ci/need nginx caddy
	@$(ENV) set -x; $(GO) test -tags proxies -count=1 -run '^TestProxies$$' -v ./app

.PHONY: golden
golden: ## refresh the goldens of the API tests
	PICORA_GOLDEN=write $(GO) test ./app/api

.PHONY: generate
generate: ## refresh generated code
	$(GO) generate ./...

.PHONY: ffmpeg
ffmpeg: tools ## build FFmpeg and the other C libraries, once, into the user's cache
	@media/av/ffmpeg.sh

.PHONY: env
env: ## print what cgo needs, for a shell to eval
	@media/av/ffmpeg.sh --env

# What the other targets need and a fresh Debian may lack.
.PHONY: tools
tools:
	@./.ci/need $(GO) gcc node npm

# Encoders that tests make audio files with.
.PHONY: sounds
sounds:
	@./.ci/need lame flac vorbis-tools opus-tools sox ffmpeg id3v2

$(PICGO): app/testdata/picgo/package.json app/testdata/picgo/package-lock.json
	cd app/testdata/picgo && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $@

# Everything a developer types. Only Go and make are needed; `make lint` and `make vuln`
# fetch their own pinned tools. `make help` lists the targets.

GO        ?= go
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
FUNCTIONS := $(patsubst functions/%/main.go,%,$(wildcard functions/*/main.go))
BOOTSTRAP := $(FUNCTIONS:%=dist/%/bootstrap)

# The functions are built for this machine unless told otherwise, because `millrace dev`
# runs the same files. To deploy: `make zip FUNCTION_OS=linux FUNCTION_ARCH=arm64`.
FUNCTION_OS    ?= $(shell $(GO) env GOOS)
FUNCTION_ARCH  ?= $(shell $(GO) env GOARCH)
FUNCTION_ENV   := CGO_ENABLED=0 GOOS=$(FUNCTION_OS) GOARCH=$(FUNCTION_ARCH)
# Without the commit inside, a function that did not change gives the same zip.
FUNCTION_FLAGS := -buildvcs=false -tags lambda.norpc -trimpath -ldflags='-s -w'

# The race detector needs a C compiler. Without one the tests run without it, except in
# CI, where .ci/run insists.
RACE := $(if $(filter 1,$(shell $(GO) env CGO_ENABLED)),-race)
TEST_FLAGS ?= $(RACE) -shuffle=on -timeout 20m

# tests/sdk is a module of its own: the SDKs it drives stay out of ours.
SDK_MODULE := $(wildcard tests/sdk/go.mod)

COVERAGE_MIN_PERCENT := 85
ZIP_MAX_BYTES        := 5242880
FUZZ_TIME            ?= 10s
# gofmt walks into tools; Node packages have Go files of their own.
GO_FILES := find . \( -name .tools -o -name node_modules \) -prune -o -name '*.go' -print
BENCH                ?= .

# Servers that `make conformance-NAME` starts, and the run itself.
FAUXQS_PORT              ?= 4599
EMULATOR_PORT_ministack  := 4571
EMULATOR_PORT_localstack := 4566
CONFORMANCE = $(GO) test -count=1 -run 'TestServer$$' ./tests/conformance $(UPDATE)

# A tool's version is part of its file name, so a newer pin installs itself.
TOOLS                 := $(CURDIR)/.tools
GOLANGCI_LINT_VERSION := v2.15.0
GOLANGCI_LINT         := $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)
GOVULNCHECK_VERSION   := v1.9.0

.DEFAULT_GOAL := help

##@ Build

.PHONY: build
build: cli functions ## Build bin/millrace and dist/<function>/bootstrap

.PHONY: cli
cli: ## Build bin/millrace only
	$(GO) build -buildvcs=false -trimpath -ldflags="-X main.version=$(VERSION)" -o bin/millrace ./cmd/millrace

.PHONY: functions
functions: $(BOOTSTRAP) ## Build the three functions only, static, as AWS runs them

# Phony, because the Go tool knows better than make what is up to date.
.PHONY: $(BOOTSTRAP)
$(BOOTSTRAP): dist/%/bootstrap:
	$(FUNCTION_ENV) $(GO) build $(FUNCTION_FLAGS) -o $@ ./functions/$*

.PHONY: zip
zip: functions ## Pack dist/<function>.zip, byte for byte reproducible, within the size budget
	$(GO) run ./internal/check/functionzip -max-bytes $(ZIP_MAX_BYTES) $(FUNCTIONS:%=dist/%)

.PHONY: clean
clean: ## Remove everything that was built; keep installed tools
	rm -rf bin dist coverage

##@ Run

.PHONY: run
run: build ## Start the whole system here, send 1,000 sample events and show them arriving
	bin/millrace dev --config examples/quickstart/millrace.yaml --demo

.PHONY: replay
replay: cli ## Send dead letters again: make replay ARGS="--sink http --dry-run"
	bin/millrace replay $(ARGS)

##@ Test

.PHONY: test
test: build ## Run every test; real SDKs and real binaries included
	$(if $(RACE),,@echo 'no C compiler found: testing without the race detector')
	$(GO) test $(TEST_FLAGS) ./...
	$(if $(SDK_MODULE),cd tests/sdk && $(GO) test $(TEST_FLAGS) ./...)

.PHONY: cover
cover: ## Test pkg/ once more, measure coverage and fail below the minimum
	mkdir -p coverage
	$(GO) test $(TEST_FLAGS) -coverpkg=./pkg/... -coverprofile=coverage/pkg.out ./pkg/... >coverage/pkg.log || { cat coverage/pkg.log; exit 1; }
	$(GO) run ./internal/check/coverage -min-percent $(COVERAGE_MIN_PERCENT) coverage/pkg.out

.PHONY: fuzz
fuzz: ## Fuzz every target for FUZZ_TIME each (default 10s)
	@$(GO) run ./internal/check/fuzztargets | while read -r package target; do \
		echo "== $$package $$target"; \
		$(GO) test -run='^$$' -fuzz="^$$target\$$" -fuzztime=$(FUZZ_TIME) "$$package" || exit 1; \
	done

# tests/chaos/README.md says what happens there.
SECONDS ?= 60
.PHONY: chaos
chaos: functions ## Random faults for SECONDS (default 60); the seed is printed, SEED=n starts from n
	$(GO) test -count=1 -timeout 0 ./tests/chaos -run RandomWalk -v -walk $(SECONDS)s -load 10s $(if $(SEED),-seed $(SEED))

.PHONY: chaos-ci
chaos-ci: functions ## The 50 fixed seeds, 20 s of faults each; then 100,000 events and repeats over killed flushes
	$(GO) test -count=1 -timeout 10m ./tests/chaos -run FixedSeeds -seeds 50 -load 20s -parallel 10
	$(GO) test -count=1 -timeout 10m ./tests/chaos -run Repeat_ -v -repeats 100000

KILLS ?= 50
.PHONY: kill
kill: ## Kill the embedded SQS with -9 under load KILLS times (default 50) and count what is left
	SQS_TEST_KILLS=$(KILLS) $(GO) test -count=1 -timeout 30m -run Kill9 -v ./internal/localaws/sqs

.PHONY: mutants
mutants: ## Plant bugs one by one and let the chaos suite find each
	$(GO) test -count=1 -timeout 40m ./tests/chaos -run Mutants -v -mutants -load 8s -parallel 8

.PHONY: bench
bench: build ## Run the benchmarks; choose some with BENCH=<pattern>
	$(GO) test -run='^$$' -bench='$(BENCH)' -benchmem ./...

# What stands beside the embedded SQS is built and started here; see tests/bench/sqs.
BENCH_SQS := $(CURDIR)/bin/bench
.PHONY: bench-sqs
bench-sqs: ## Measure the embedded SQS beside goaws and fauxqs, one table; ARGS="-rounds 3" and more
	$(GO) build -buildvcs=false -o $(BENCH_SQS)/sqs ./tests/bench/sqs
	cd tests/bench/goaws && $(GO) build -buildvcs=false -o $(BENCH_SQS)/goaws .
	tests/conformance/fauxqs/run.sh $(FAUXQS_PORT) sh -c \
		'exec $(BENCH_SQS)/sqs -goaws $(BENCH_SQS)/goaws -fauxqs http://127.0.0.1:$(FAUXQS_PORT) -fauxqs-pid "$$SERVER_PID" $(ARGS)'

.PHONY: conformance-fauxqs
conformance-fauxqs: ## Hold fauxqs to tests/conformance; UPDATE=-update rewrites its column
	tests/conformance/fauxqs/run.sh $(FAUXQS_PORT) env CONFORMANCE_SERVER=fauxqs CONFORMANCE_ENDPOINT=http://127.0.0.1:$(FAUXQS_PORT) $(CONFORMANCE)

# A fresh process each time: emulators keep what broken requests left.
.PHONY: conformance-ministack conformance-localstack
conformance-ministack conformance-localstack: conformance-%: ## The same for MiniStack or LocalStack
	python3 localstack/emulator.py up $*
	CONFORMANCE_SERVER=$* CONFORMANCE_ENDPOINT=http://127.0.0.1:$(or $(EMULATOR_PORT),$(EMULATOR_PORT_$*)) $(CONFORMANCE); \
		outcome=$$?; python3 localstack/emulator.py down $*; exit $$outcome

##@ Check

.PHONY: check
check: fmt-check vet lint arch cover zip ## Run every check that needs no network once its tools are there

.PHONY: fmt
fmt: ## Format all Go files
	$(GO_FILES) | xargs gofmt -s -w

.PHONY: fmt-check
fmt-check:
	@unformatted=$$($(GO_FILES) | xargs gofmt -s -l); \
	if [ -n "$$unformatted" ]; then echo "not formatted, run make fmt:"; echo "$$unformatted"; exit 1; fi

.PHONY: vet
vet:
	$(GO) vet -tags lambda.norpc ./...
	$(if $(SDK_MODULE),cd tests/sdk && $(GO) vet ./...)

.PHONY: lint
lint: $(GOLANGCI_LINT) ## Run golangci-lint (installs the pinned version into .tools)
	$(GOLANGCI_LINT) config verify
	$(GOLANGCI_LINT) run ./...
	$(if $(SDK_MODULE),cd tests/sdk && $(GOLANGCI_LINT) run --config $(CURDIR)/.golangci.yaml ./...)

.PHONY: arch
arch: ## Check the import map, the functions' import graphs, fuzz corpora and documents
	$(GO) test -count=1 ./internal/check/... ./tests/arch

# The table of docs/adr/0009. A comment or an empty line is no line of code.
.PHONY: localaws-lines
localaws-lines: ## Count the lines of the embedded AWS, by service, without tests
	@cd internal/localaws && for service in . $$(find * -type d -not -path "*testdata*"); do \
		ls $$service/*.go | grep -v _test.go | xargs cat | awk -v service="$$service" \
			'{ all++ } !/^[ \t]*(\/\/|$$)/ { code++ } END { printf "| %s | %d | %d |\n", service, all, code }'; \
	done | awk -F'|' '{ all += $$3; code += $$4; print } END { printf "| all | %d | %d |\n", all, code }'

.PHONY: imports
imports: ## Rewrite the import map in CONTRIBUTING.md from the imports that exist
	$(GO) run ./internal/check/importmap -write

.PHONY: vuln
vuln: ## Look for known vulnerabilities (reads the Go vulnerability database online)
	$(GO) run golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION) -tags lambda.norpc ./...

$(GOLANGCI_LINT):
	mkdir -p $(TOOLS)
	GOBIN=$(TOOLS)/install $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	mv $(TOOLS)/install/golangci-lint $@

include cloud.mk

##@ Help

.PHONY: help
help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9 -]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

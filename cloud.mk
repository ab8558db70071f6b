# What deploys: to AWS, and to emulators of it. The Makefile includes this file.
# Needs Node for the CDK; the emulators need Python. No Docker, no AWS account.

STACK        ?= millrace
CONFIG       ?= examples/aws/millrace.yaml
TARGET       ?= aws
# More settings of the app, for example: CONTEXT="-c api=rest -c alarm-topic=arn:…"
CONTEXT      ?=

# `make replay STACK=name` means the deployed stack.
ifeq ($(origin STACK),command line)
override ARGS += --stack $(STACK)
endif

# The functions as they are deployed. Emulators run them on this machine.
HOST_ARCH    := $(shell $(GO) env GOARCH)
DEPLOY_ARCH  ?= $(if $(filter aws,$(TARGET)),arm64,$(HOST_ARCH))
DEPLOY_DIST  := dist/linux-$(DEPLOY_ARCH)
LAMBDA_ARCH  := $(if $(filter amd64,$(DEPLOY_ARCH)),x86_64,arm64)

# The lock file's hash is part of the directory's name, so a newer pin installs itself.
INFRA_LOCK   := $(shell cksum infra/package-lock.json | cut -d' ' -f1)
INFRA_TOOLS  := $(TOOLS)/infra-$(INFRA_LOCK)
CDK_OUT      := cdk.out/$(TARGET)
CDK          := CDK_DISABLE_VERSION_CHECK=1 JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=1 \
	$(INFRA_TOOLS)/node_modules/.bin/cdk --no-notices --no-version-reporting
CDK_SETTINGS  = --app bin/millrace-infra --output $(CDK_OUT) -c target=$(TARGET) -c stack=$(STACK) -c config=$(CONFIG) -c dist=$(DEPLOY_DIST) \
	-c architecture=$(LAMBDA_ARCH) $(CONTEXT)

##@ Deploy

.PHONY: infra-tools
infra-tools: $(INFRA_TOOLS)/done ## Install the pinned CDK command line and cdk-nag

$(INFRA_TOOLS)/done: infra/package-lock.json
	mkdir -p $(INFRA_TOOLS)
	cp infra/package.json infra/package-lock.json $(INFRA_TOOLS)/
	cd $(INFRA_TOOLS) && npm ci --no-audit --no-fund --loglevel=error
	touch $@

.PHONY: infra-app
infra-app: ## Build the CDK app (its first build takes half a minute)
	cd infra && $(GO) build -buildvcs=false -o ../bin/millrace-infra ./cmd/app
	cd infra && $(GO) build -buildvcs=false -o ../bin/millrace-upgrade ./cmd/upgrade

.PHONY: deploy-zip
deploy-zip: ## Build the functions' zips for the target
	@for function in $(FUNCTIONS); do \
		CGO_ENABLED=0 GOOS=linux GOARCH=$(DEPLOY_ARCH) $(GO) build $(FUNCTION_FLAGS) \
			-o $(DEPLOY_DIST)/$$function/bootstrap ./functions/$$function || exit 1; \
	done
	$(GO) run ./internal/check/functionzip -max-bytes $(ZIP_MAX_BYTES) $(FUNCTIONS:%=$(DEPLOY_DIST)/%)

.PHONY: synth
synth: infra-tools infra-app deploy-zip ## Print nothing and write cdk.out/$(TARGET): make synth TARGET=aws CONFIG=millrace.yaml
	$(CDK) synth --quiet $(CDK_SETTINGS)

.PHONY: bootstrap
bootstrap: infra-tools ## Prepare an AWS account and region for CDK, once: make bootstrap ENVIRONMENT=aws://111122223333/eu-west-1
	$(CDK) bootstrap $(ENVIRONMENT)

.PHONY: deploy
deploy: infra-tools infra-app deploy-zip ## Deploy to AWS: make deploy CONFIG=millrace.yaml [STACK=name]
	bin/millrace-upgrade $(STACK)
	$(CDK) deploy $(CDK_SETTINGS) $(STACK)

.PHONY: destroy
destroy: infra-tools infra-app deploy-zip ## Remove the stack; its bucket stays, and what Functions.Removal retains
	$(CDK) destroy $(CDK_SETTINGS) $(STACK)

.PHONY: infra-test
infra-test: infra-tools $(GOLANGCI_LINT) ## Test the CDK construct: props, golden templates, IAM, cdk-nag
	cd infra && $(GO) vet ./... && $(GO) test -count=1 -timeout 10m ./...
	cd infra && NODE_PATH=$(INFRA_TOOLS)/node_modules node nag.js testdata/*.template.json
	cd infra && $(GOLANGCI_LINT) run --allow-parallel-runners --config $(CURDIR)/.golangci.yaml ./...
	cd tests/cloud && $(GO) vet ./... && $(GOLANGCI_LINT) run --allow-parallel-runners --config $(CURDIR)/.golangci.yaml ./...

##@ Emulate

# Where an emulator listens; both honour EMULATOR_PORT.
MINISTACK_URL  := http://127.0.0.1:$(or $(EMULATOR_PORT),4571)
LOCALSTACK_URL := http://127.0.0.1:$(or $(EMULATOR_PORT),4566)
EMULATOR       := python3 localstack/emulator.py

.PHONY: python
python:
	@command -v python3 >/dev/null || { echo "the emulators need Python 3.11: install python3 and python3-venv" >&2; exit 1; }

.PHONY: ministack-up
ministack-up: python ## Start MiniStack on 127.0.0.1, installing it when needed
	$(EMULATOR) up ministack

.PHONY: ministack-down
ministack-down: python ## End MiniStack and remove what it left
	$(EMULATOR) down ministack

.PHONY: ministack-deploy
ministack-deploy: python infra-tools infra-app ## Deploy to the running MiniStack: make ministack-deploy CONFIG=millrace.yaml
	$(call emulator_deploy,ministack,$(MINISTACK_URL))

.PHONY: ministack-test
ministack-test: cloud-built ## Deploy to MiniStack and test everything there
	$(call cloud_test,ministack,$(MINISTACK_URL))

.PHONY: ministack-iam-test
ministack-iam-test: export EMULATOR_AUTH = true
ministack-iam-test: cloud-built ## The same on a MiniStack that enforces IAM: the grants of the stack are enough, and each is needed
	$(call cloud_test,ministack,$(MINISTACK_URL),-iam)

.PHONY: localstack-up
localstack-up: python ## Start LocalStack on 127.0.0.1, installing it when needed (half a gigabyte)
	$(EMULATOR) up localstack

.PHONY: localstack-deploy
localstack-deploy: python infra-tools infra-app ## Deploy to the running LocalStack: make localstack-deploy CONFIG=millrace.yaml
	$(call emulator_deploy,localstack,$(LOCALSTACK_URL))

.PHONY: localstack-down
localstack-down: python ## End LocalStack, however far it came, and remove what it left
	$(EMULATOR) down localstack

.PHONY: localstack-test
localstack-test: cloud-built ## Deploy to LocalStack and test everything that it can do
	$(call cloud_test,localstack,$(LOCALSTACK_URL))

.PHONY: executor-test
executor-test: python ## Test how emulators are started, and the process executor of LocalStack
	python3 -W ignore::ResourceWarning -m unittest discover -s localstack -p test_emulator.py
	python3 -m unittest discover -s localstack/executor

on_emulator = AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1 AWS_ENDPOINT_URL=$(1) AWS_ENDPOINT_URL_S3=$(1)

# Deploy to an emulator that runs: emulator_deploy,NAME,URL.
define emulator_deploy
	$(EMULATOR) check $(1)
	$(call on_emulator,$(2)) $(CDK) bootstrap aws://000000000000/us-east-1
	$(call on_emulator,$(2)) $(MAKE) --no-print-directory deploy TARGET=$(1) CONTEXT="--require-approval never $(CONTEXT)"
	@echo "On this machine, ApiUrl https://ID.…/v1/ is $(2)/_aws/execute-api/ID/v1; see it with: bin/millrace status --stack $(STACK) --aws $(2)"
endef

# What every cloud test needs. Emulators run the functions on this machine.
.PHONY: cloud-built
cloud-built: python infra-tools infra-app cli
	$(MAKE) --no-print-directory deploy-zip DEPLOY_ARCH=$(HOST_ARCH)

# Start, test and end an emulator: cloud_test,NAME,URL,FLAGS. It is ended whatever happens.
define cloud_test
	$(EMULATOR) down $(1) && $(EMULATOR) up $(1)
	trap '$(EMULATOR) down $(1)' EXIT; \
	(cd tests/cloud && $(GO) test -count=1 -v -timeout 15m . -target $(1) -endpoint $(2) $(3) -cdk $(INFRA_TOOLS)/node_modules/.bin/cdk)
endef

# What deploys: to AWS, and to emulators of it. The Makefile includes this file.
# Needs Node for the CDK; the emulators need Python. No Docker, no AWS account.

STACK        ?= millrace
CONFIG       ?= examples/aws/millrace.yaml
TARGET       ?= aws
# More settings of the app, for example: CONTEXT="-c api=rest -c alarm-topic=arn:…"
CONTEXT      ?=

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
	$(CDK) deploy $(CDK_SETTINGS) $(STACK)

.PHONY: destroy
destroy: infra-tools infra-app deploy-zip ## Remove the stack; what Functions.Removal retains stays
	$(CDK) destroy $(CDK_SETTINGS) $(STACK)

.PHONY: infra-test
infra-test: infra-tools ## Test the CDK construct: props, golden templates, IAM, cdk-nag
	cd infra && $(GO) vet ./... && $(GO) test -count=1 -timeout 10m ./...
	cd infra && NODE_PATH=$(INFRA_TOOLS)/node_modules node nag.js testdata/*.template.json

module github.com/millrace-dev/millrace/tests/sdk

go 1.26.0

require (
	github.com/google/uuid v1.6.0
	github.com/millrace-dev/millrace v0.0.0
	github.com/posthog/posthog-go v1.23.1
)

require (
	github.com/andybalholm/brotli v1.1.1 // indirect
	github.com/go-json-experiment/json v0.0.0-20260820222146-c27c302e5fc3 // indirect
	github.com/goccy/go-json v0.10.6 // indirect
	github.com/hashicorp/golang-lru/v2 v2.0.7 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	golang.org/x/sys v0.21.0 // indirect
)

replace github.com/millrace-dev/millrace => ../..

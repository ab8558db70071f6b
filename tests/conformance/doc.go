// Package conformance holds what SQS does, as cases, against any server that claims to be SQS.
//
// Every case names the page of AWS's documentation that it pins. The suite runs through aws-sdk-go-v2 against the embedded
// AWS over both of its transports on every `go test`, and against other emulators with `make conformance-NAME`, which
// starts them without Docker (README.md). deviations.json lists, for each server, the cases in which it differs from AWS, and how. A case that fails
// without its line, and a line whose case passes, both fail the test: the table is what is true.
//
// The package has no code of its own; everything is in its tests. internal/localaws/sqs tests the same service from
// the inside, on a virtual clock; here is only what a client can see of any server, in real time.
package conformance

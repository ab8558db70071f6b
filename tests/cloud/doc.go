// Package cloud drives a deployed Millrace from outside: the CDK stack with the real zips,
// on an emulator of AWS or on AWS itself. `make ministack-test` and `make localstack-test`
// start the emulator, run these tests and end it.
//
// The tests are one journey, in order, because a deployment is what they share: bootstrap,
// deploy, events of SDKs, a sick sink and a replay, poison, a scheduled drain, an update
// with messages on the way, destruction.
package cloud

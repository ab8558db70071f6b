// Package receiver defines how an SDK's protocol becomes events, and how its server's
// answer is given back.
//
// A receiver is pure protocol: it names its routes, decodes a request into events and
// the write key that the request carries, and writes replies in the protocol's own
// words. It does not authenticate, pack or queue: pkg/ingest does, the same way for
// every receiver. Receivers live in packages of their own, one per protocol.
package receiver

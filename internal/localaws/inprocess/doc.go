// Package inprocess lets an AWS SDK client call an http.Handler in the same process, without a socket.
//
// It stands where the SDK expects an HTTP client (aws.HTTPClient): the request goes straight to the handler's
// ServeHTTP on a goroutine of its own, the whole reply is gathered in memory, and the caller gets it as an
// ordinary *http.Response. Nothing streams: a reply is seen when the handler returns. When the request's context
// ends, the caller gets its error at once and the handler sees the cancelled context, as with a closed connection.
package inprocess

// Package clients checks that clients in other languages work with the embedded AWS when AWS_ENDPOINT_URL is all that they are told.
//
// The tests install boto3, the AWS CLI and the JavaScript SDK, pinned by requirements.txt and js/package-lock.json, into the
// user's cache directory, once for each content of these files. Without Python or Node they are skipped with a message, in
// CI (variable CI) they fail.
//
// AWS CLI version 1, which is the one on PyPI, does not read AWS_ENDPOINT_URL for SQS: it gets --endpoint-url. Version 2 reads it.
package clients

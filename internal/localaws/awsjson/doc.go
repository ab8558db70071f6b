// Package awsjson is the AWS JSON 1.0 protocol, which SQS and DynamoDB have in common: one POST for each call, with the
// operation in X-Amz-Target and a JSON object both ways. A service brings its operations; decoding, limits, refusals, request ids and
// faults on purpose are here.
//
// Signatures are not verified, only refused when malformed.
package awsjson

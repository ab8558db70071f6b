// Package localaws is the embedded AWS of millrace dev and of the tests: SQS, DynamoDB, S3, Lambda, event-source mappings, an API
// Gateway front door and a scheduler in one process, with the functions as real bootstrap processes.
//
//	client ──► API listener ──► apigateway ──► lambda: ingest ──┐
//	                                                            ▼  (AWS_ENDPOINT_URL)
//	SDK, CLI ──► AWS listener ──► router ──► sqs  ◄──────── SendMessage
//	                                 │        │
//	                                 ▼        ▼
//	                              lambda ◄── esm ──► lambda: flush
//	                                 ▲
//	                            scheduler         dynamodb, s3
//
// One port serves every AWS service; the router tells them apart by X-Amz-Target, by the service name in a SigV4 credential
// scope, or by the path, so AWS_ENDPOINT_URL is all a client needs. Signatures are not checked. What is not emulated is refused
// with an error in AWS's shape that says what is.
//
// Both listeners refuse any address that is not loopback. Queues, tables and objects live in memory or, with Options.DataDir, on disk
// (package journal); everything else is declared anew at each start.
package localaws

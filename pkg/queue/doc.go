// Package queue sends packs to SQS, and receives, hides and deletes them.
//
// It is the only place that calls SQS. The SDK's own retries stay on here and nothing
// around these calls retries again, so that exactly one layer does.
package queue

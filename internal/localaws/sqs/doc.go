// Package sqs is the in-memory Amazon SQS of the embedded AWS.
package sqs

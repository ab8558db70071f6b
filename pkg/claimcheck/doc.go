// Package claimcheck keeps the events of packs that do not fit a message in an S3 bucket:
// the message carries the key, as the claim check of a cloakroom does. Which keys there
// are, and what lies under them, is part of the pack format; see pkg/batch.
//
// Objects are written before the message that claims them, and again before each further
// message (a residue, a dead letter, a replay). Nothing is ever deleted here: the bucket's
// lifecycle rule removes objects by age, and must wait longer than a message may live. SQS
// keeps one for 14 days at most, so a rule of 15 days is right for any stack.
//
// S3 is asked with one signed HTTP request for one call. Its SDK client knows a hundred
// operations more, and would take each function over its size budget. The functions need:
//
//	s3:PutObject   on BUCKET/packs/*   ingest, flush, replay
//	s3:GetObject   on BUCKET/packs/*   flush, replay
//	s3:ListBucket  on BUCKET           flush, replay: without it S3 says 403 instead of
//	                                   404 of an object that is missing
//
// A call is tried three times in all here, and nothing around these calls tries again.
package claimcheck

// Package s3 is the embedded S3, for the events that are too large for a queue and for archives. The protocol is gofakes3's; this
// package keeps the objects and refuses what gofakes3 would misunderstand.
//
//	request ──► guard: refuse, decode aws-chunked ──► gofakes3 ──► store ──► journal
//
// Bucket is in the path (http://127.0.0.1:4566/BUCKET/KEY), which is what the SDKs choose for an IP address.
//
// # Emulated
//
// Buckets: create, head, list, delete, location. Objects: put, get, head, delete, copy, delete many, lists of both versions with prefix,
// delimiter and pages; ranges, user metadata, checksums as the client sent them, If-Match and If-None-Match; multipart uploads, whose
// parts are in memory until they are completed. A reply to a write goes out after it is on disk.
//
// # Refused
//
// Versions, tags, ACLs, policies, lifecycles, encryption settings and every other subresource: 501 NotImplemented. Objects over
// MaxObjectBytes: 400 EntityTooLarge, because each is in memory as a whole on its way. Signatures are not checked.
package s3

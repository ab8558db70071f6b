// Package dynamodb is the part of DynamoDB that Millrace and its users' tools touch: tables
// with a partition key and no sort key, single items with conditions, and reads of many
// items, over the AWS JSON protocol.
//
//	CreateTable DescribeTable ListTables DeleteTable UpdateTimeToLive DescribeTimeToLive
//	PutItem (ConditionExpression, ReturnValuesOnConditionCheckFailure, ReturnValues ALL_OLD)
//	GetItem DeleteItem (ConditionExpression) BatchGetItem Scan
//
// Everything else is refused with AWS's own error: an operation or a parameter that is
// not emulated never looks as if it had worked.
//
// Items are kept in memory and, with a journal, on disk: a reply to a write goes out after
// the journal is synced. Time to live removes items some time after they have expired, as on
// AWS: code that relies on expiry must look at it itself.
package dynamodb

// Package dynamodb is the part of DynamoDB that Millrace and its users' tools touch: tables
// with a partition key and no sort key, puts of single items with conditions, and reads, over
// the AWS JSON protocol.
//
//	CreateTable DescribeTable ListTables
//	PutItem (ConditionExpression, ReturnValuesOnConditionCheckFailure) GetItem BatchGetItem Scan
//
// Everything else is refused with AWS's own error: an operation or a parameter that is not
// emulated never looks as if it had worked. So are deletes of items and tables, queries and updates,
// and in conditions (condition.go) NOT, parentheses, placeholders of names and all functions
// but attribute_exists and attribute_not_exists. Billing mode and consistent reads are accepted without effect:
// nothing is metered here, and all reads are consistent. A page of a scan ends after 1,000 items (AWS: after 1 MB).
//
// Items are kept in memory and, with a journal, on disk: a reply goes out after what it tells is
// synced. The owner of the service switches time to live on (CreateTable); it removes items some time after they
// have expired, as on AWS: code that relies on expiry must look at it itself.
package dynamodb

// Package account says who owns everything in the embedded AWS, and where it is: there is one account and one region.
package account

const (
	// ID owns everything.
	ID = "000000000000"
	// Region is where everything is.
	Region = "us-east-1"
)

// ARN names a resource of a service, e.g. "queue" of "sqs" or "table/t" of "dynamodb", whether it exists or not.
func ARN(service, resource string) string {
	return "arn:aws:" + service + ":" + Region + ":" + ID + ":" + resource
}

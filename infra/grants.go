package millrace

import (
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"github.com/millrace-dev/millrace/pkg/config"
)

// grant allows each function the calls that it makes, on the resources that it makes them
// on. CDK's own grants allow more, so they are not used.
func (e *BatchExporter) grant() {
	packs, letters := e.Queue.QueueArn(), e.DeadLetters.QueueArn()

	allow(e.Ingest.Role(), e.sqs("SendMessage"), packs, letters)
	// The event-source mapping receives and deletes as the function; a residue is sent
	// to the main queue, a dead letter to the other; a pack that another flush has
	// claimed is hidden until that claim is over.
	allow(e.Flush.Role(), e.sqs("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes"), packs)
	allow(e.Flush.Role(), e.sqs("SendMessage"), packs, letters)
	allow(e.Replay.Role(), e.sqs("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"), letters)
	// What is left of a letter that is replayed in part is a letter again.
	allow(e.Replay.Role(), e.sqs("SendMessage"), packs, letters)
	if e.Table != nil {
		// Claims are overwritten on condition and never deleted; time to live removes them.
		allow(e.Flush.Role(), []string{"dynamodb:PutItem", "dynamodb:BatchGetItem"}, e.Table.TableArn())
	}
	// Replay goes on after its deadline by invoking itself. By name, because the function
	// depends on its policy.
	allow(e.Replay.Role(), []string{"lambda:InvokeFunction"}, e.stack.FormatArn(&awscdk.ArnComponents{
		Service: jsii.String("lambda"), Resource: jsii.String("function"), ResourceName: e.name("-replay"), ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME,
	}))

	if e.key != nil {
		for _, role := range e.roles() {
			// Sending needs both: SQS verifies what it encrypts.
			allow(role, []string{"kms:Decrypt", "kms:GenerateDataKey"}, e.key.KeyArn())
		}
	}
	e.grantSecrets()
	e.grantBucket()
}

// roles are those of the functions.
func (e *BatchExporter) roles() []awsiam.IRole {
	return []awsiam.IRole{e.Ingest.Role(), e.Flush.Role(), e.Replay.Role()}
}

// sqs are the actions that allow calls of SQS, and their batch calls.
func (e *BatchExporter) sqs(calls ...string) []string {
	var actions []string
	for _, call := range calls {
		actions = append(actions, "sqs:"+call)
		batched := slices.Contains([]string{"SendMessage", "DeleteMessage", "ChangeMessageVisibility"}, call)
		if batched && e.props.Queue.BatchActions == on {
			actions = append(actions, "sqs:"+call+"Batch")
		}
	}
	return actions
}

// grantSecrets lets flush read exactly the secrets that the configuration refers to.
func (e *BatchExporter) grantSecrets() {
	for _, r := range references(e.config, config.SchemeSecret) {
		arn, _, _ := strings.Cut(r.Name, "#")
		allow(e.Flush.Role(), []string{"secretsmanager:GetSecretValue"}, &arn)
	}
	for _, r := range references(e.config, config.SchemeSSM) {
		arn := e.stack.FormatArn(&awscdk.ArnComponents{
			Service: jsii.String("ssm"), Resource: jsii.String("parameter"), ResourceName: jsii.String(strings.TrimPrefix(r.Name, "/")),
		})
		allow(e.Flush.Role(), []string{"ssm:GetParameter"}, arn)
	}
}

// allow adds one statement to a role's policy.
func allow(role awsiam.IRole, actions []string, resources ...*string) {
	role.AddToPrincipalPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings(actions...), Resources: &resources,
	}))
}

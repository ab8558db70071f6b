//nolint:paralleltest // CDK is one Node process, which answers one at a time
package millrace

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"
)

func TestBatchExporter_Environment_IsWhatTheFunctionsRead(t *testing.T) {
	read := environmentConstants(t)
	tpl := synth(t, goodProps(t))
	for _, function := range []string{"Ingest", "Flush", "Replay"} {
		properties := tpl.the(t, "AWS::Lambda::Function", function)["Properties"].(map[string]any)
		variables := properties["Environment"].(map[string]any)["Variables"].(map[string]any)
		delete(variables, "PREVIEW_URL") // a reference of the configuration
		if diff := cmp.Diff(read, slices.Sorted(maps.Keys(variables))); diff != "" {
			t.Errorf("%s: what functions read and what the stack sets differ (-read +set):\n%s", function, diff)
		}
	}
}

// environmentConstants returns the variables that pkg/config declares, from its source, so
// that one that is added there and forgotten here is noticed.
func environmentConstants(t *testing.T) []string {
	t.Helper()
	var values []string
	for name, value := range stringConstants(t, "../pkg/config/runtime.go") {
		if strings.HasPrefix(name, "Env") {
			values = append(values, value)
		}
	}
	slices.Sort(values)
	return values
}

func TestBatchExporter_Roles_AllowExactlyTheseCalls(t *testing.T) {
	want := map[string][]string{
		"Ingest": {"logs:CreateLogStream IngestLogs", "logs:PutLogEvents IngestLogs", "sqs:SendMessage DeadLetters", "sqs:SendMessage Queue"},
		"Flush": {
			"dynamodb:BatchGetItem Dedup", "dynamodb:PutItem Dedup",
			"logs:CreateLogStream FlushLogs", "logs:PutLogEvents FlushLogs",
			"secretsmanager:GetSecretValue arn:aws:secretsmanager:eu-west-1:111122223333:secret:warehouse-AbCdEf",
			"sqs:ChangeMessageVisibility Queue", "sqs:DeleteMessage Queue", "sqs:GetQueueAttributes Queue", "sqs:ReceiveMessage Queue", "sqs:SendMessage DeadLetters", "sqs:SendMessage Queue",
			"ssm:GetParameter :parameter/millrace/warehouse/team",
		},
		"Replay": {
			"lambda:InvokeFunction :function:millrace-replay",
			"logs:CreateLogStream ReplayLogs", "logs:PutLogEvents ReplayLogs",
			"sqs:ChangeMessageVisibility DeadLetters", "sqs:DeleteMessage DeadLetters", "sqs:ReceiveMessage DeadLetters", "sqs:SendMessage DeadLetters", "sqs:SendMessage Queue",
		},
	}
	tpl := synth(t, goodProps(t))
	for function, calls := range want {
		if diff := cmp.Diff(calls, allowed(t, tpl, function)); diff != "" {
			t.Errorf("%s may call something else (-want +got):\n%s", function, diff)
		}
	}
}

func TestBatchExporter_KMSKey_AddsItsTwoCalls(t *testing.T) {
	props := goodProps(t)
	withKey(&props)
	tpl := synth(t, props)
	for _, function := range []string{"Ingest", "Flush", "Replay"} {
		var calls []string
		for _, call := range allowed(t, tpl, function) {
			if strings.HasPrefix(call, "kms:") {
				calls = append(calls, call)
			}
		}
		want := []string{"kms:Decrypt arn:aws:kms:eu-west-1:111122223333:key/a", "kms:GenerateDataKey arn:aws:kms:eu-west-1:111122223333:key/a"}
		if diff := cmp.Diff(want, calls); diff != "" {
			t.Errorf("%s (-want +got):\n%s", function, diff)
		}
	}
}

// allowed lists what a function's role allows, one "action resource" each, sorted.
func allowed(t *testing.T, tpl template, function string) []string {
	t.Helper()
	policy := tpl.the(t, "AWS::IAM::Policy", function+"RoleDefaultPolicy")
	document := policy["Properties"].(map[string]any)["PolicyDocument"].(map[string]any)
	var calls []string
	for _, statement := range document["Statement"].([]any) {
		statement := statement.(map[string]any)
		for _, action := range listOf(statement["Action"]) {
			for _, resource := range listOf(statement["Resource"]) {
				calls = append(calls, action.(string)+" "+shortName(t, resource))
			}
		}
	}
	slices.Sort(calls)
	return calls
}

// shortName is what a person calls a resource.
func shortName(t *testing.T, resource any) string {
	t.Helper()
	if text, ok := resource.(string); ok {
		return text
	}
	text, err := json.Marshal(resource)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"IngestLogs", "FlushLogs", "ReplayLogs", "DeadLetters", "Queue", "Dedup", "LargePacks"} {
		if strings.Contains(string(text), `"Exporter`+name) {
			if strings.Contains(string(text), claimPrefix+"*") {
				name += "/" + claimPrefix + "*"
			}
			return name
		}
	}
	parts := resource.(map[string]any)["Fn::Join"].([]any)[1].([]any)
	return parts[len(parts)-1].(string)
}

func TestBatchExporter_Flush_MayRetryLongerThanLambdasLoopDetection(t *testing.T) {
	tpl := synth(t, goodProps(t))
	if got := at(t, tpl.the(t, "AWS::Lambda::Function", "Flush"), "Properties.RecursiveLoop"); got != `"Allow"` {
		t.Errorf("flush: %s, want Allow: a residue that is retried 16 times is no runaway", got)
	}
	if got := at(t, tpl.the(t, "AWS::Lambda::Function", "Replay"), "Properties.RecursiveLoop"); got != "" {
		t.Errorf("replay: %s, want Lambda's default, which ends a runaway", got)
	}
}

func TestBatchExporter_DeadLetters_HaveNoMapping(t *testing.T) {
	tpl := synth(t, targetProps(t, TargetAWS))
	if n := tpl.count("AWS::Lambda::EventSourceMapping"); n != 1 {
		t.Errorf("%d event-source mappings, want the main queue's only", n)
	}
	if got := at(t, tpl.the(t, "AWS::Lambda::EventSourceMapping", ""), "Properties.EventSourceArn.Fn::GetAtt.0"); !strings.Contains(got, "ExporterQueue") {
		t.Errorf("the mapping reads %s, want the main queue", got)
	}
}

func TestBatchExporter_FunctionURL_NeedsNoAPI(t *testing.T) {
	props := goodProps(t)
	props.API.Kind = APIFunctionURL
	tpl := synth(t, props)
	if got := at(t, tpl.the(t, "AWS::Lambda::Url", ""), "Properties.AuthType"); got != `"NONE"` {
		t.Errorf("auth type %s, want NONE: write keys are checked by ingest", got)
	}
	if n := tpl.count("AWS::ApiGatewayV2::Api") + tpl.count("AWS::ApiGateway::RestApi"); n != 0 {
		t.Errorf("%d APIs beside the function URL", n)
	}
}

func TestBatchExporter_Schedules_SendTheRequestAsAnObject(t *testing.T) {
	props := goodProps(t)
	props.Flush.Trigger = TriggerBoth
	const want = `"{\"drain\":true}"`
	if got := at(t, synth(t, props).the(t, "AWS::Scheduler::Schedule", ""), "Properties.Target.Input"); got != want {
		t.Errorf("the schedule sends %s, want %s", got, want)
	}
	props.Flush.Scheduler = SchedulerRule
	if got := at(t, synth(t, props).the(t, "AWS::Events::Rule", ""), "Properties.Targets.0.Input"); got != want {
		t.Errorf("the rule sends %s, want %s", got, want)
	}
}

func TestIAMGuard_Wildcards_FailTheSynthesis(t *testing.T) {
	rows := []struct {
		name              string
		actions, resource string
		want              int
	}{
		{"a named call is fine", "sqs:SendMessage", "arn:aws:sqs:eu-west-1:1:a", 0},
		{"an action is a wildcard", "sqs:*", "arn:aws:sqs:eu-west-1:1:a", 1},
		{"a resource is a wildcard", "sqs:SendMessage", "*", 1},
		{"a resource ends in a wildcard", "s3:GetObject", "arn:aws:s3:::b/*", 1},
		{"packs in the bucket have a reason", "s3:GetObject", "arn:aws:s3:::b/packs/*", 0},
		{"what else is in the bucket has none", "s3:GetObject", "arn:aws:s3:::*/packs/*", 1},
		{"other calls on packs have none", "s3:DeleteObject", "arn:aws:s3:::b/packs/*", 1},
		{"X-Ray has a reason", "xray:PutTraceSegments", "*", 0},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			stack, exporter := deploy(t, goodProps(t))
			allow(exporter.Flush.Role(), []string{row.actions}, &row.resource)
			if got := errorsOf(stack); len(got) != row.want {
				t.Errorf("got %d findings, want %d: %v", len(got), row.want, got)
			}
		})
	}
}

func TestIAMGuard_InlineAndInversePolicies_AreChecked(t *testing.T) {
	stack, exporter := deploy(t, goodProps(t))
	awsiam.NewRole(exporter.Construct, jsii.String("Wide"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		InlinePolicies: &map[string]awsiam.PolicyDocument{"wide": awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{
			Statements: &[]awsiam.PolicyStatement{awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
				NotActions: jsii.Strings("iam:PassRole"), Resources: jsii.Strings("arn:aws:sqs:eu-west-1:1:a"),
			})},
		})},
	})
	if got := errorsOf(stack); len(got) != 1 || !strings.Contains(got[0], "NotAction") {
		t.Errorf("got %v, want one finding about NotAction", got)
	}
}

func TestBatchExporter_AllTargets_HaveNoWildcards(t *testing.T) {
	for _, target := range Targets() {
		stack, _ := deploy(t, targetProps(t, target))
		if got := errorsOf(stack); len(got) != 0 {
			t.Errorf("%s: %v", target, got)
		}
	}
}

// errorsOf returns the error annotations of a stack, which fail `cdk synth`.
func errorsOf(stack awscdk.Stack) []string {
	var texts []string
	for _, message := range *assertions.Annotations_FromStack(stack).FindError(jsii.String("*"), assertions.Match_AnyValue()) {
		text, _ := message.Entry.Data.(string) //nolint:staticcheck // its successor is not in this version's assertions
		texts = append(texts, text)
	}
	return texts
}

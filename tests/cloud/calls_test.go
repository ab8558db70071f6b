package cloud

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// compareCalls compares what the functions called in the whole journey, which the emulator
// writes down unless it denied it, with what their roles allow.
func (j *journey) compareCalls(t *testing.T) {
	called := map[grant]int{}
	for _, function := range []string{j.ingest, j.flush, j.replayName} {
		for _, g := range j.calls(t, function) {
			called[g]++
		}
	}
	allowed := map[grant]bool{}
	for _, p := range j.policies(t) {
		for _, g := range p.grants() {
			allowed[g] = true
			if _, exempt := unproved()[g.action]; called[g] == 0 && !exempt {
				t.Errorf("%s, but never did", g)
			}
		}
	}
	for g, n := range called {
		t.Logf("%d times: %s", n, g)
		if !allowed[g] {
			t.Errorf("called without a grant: %s", g)
		}
	}
}

// wantNoDenial looks for denied calls in what the functions printed so far.
func (j *journey) wantNoDenial(t *testing.T) {
	for _, function := range []string{j.ingest, j.flush, j.replayName} {
		lines := j.logged(t.Context(), t, function, j.began)
		if len(lines) == 0 {
			t.Errorf("%s printed nothing", function)
		}
		for _, line := range lines {
			if strings.Contains(line, denial) {
				t.Errorf("%s was denied a call: %s", function, line)
			}
		}
	}
}

// calls returns the calls of a function, oldest last.
func (j *journey) calls(t *testing.T, function string) []grant {
	t.Helper()
	name := strings.TrimPrefix(function, stackName+"-")
	var all []grant
	until := time.Now()
	for {
		out, err := j.trail.LookupEvents(t.Context(), &cloudtrail.LookupEventsInput{
			EndTime:          &until,
			LookupAttributes: []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyAccessKeyId, AttributeValue: aws.String(j.accessKey(t, function))}},
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range out.Events {
			all = append(all, callOf(t, name, &out.Events[i]))
		}
		if len(out.Events) == 0 {
			return all
		}
		// The emulator knows no pages: it returns the newest fifty.
		until = out.Events[len(out.Events)-1].EventTime.Add(-time.Millisecond)
	}
}

// accessKey is the key that MiniStack gives a function, under which it writes down its calls.
func (j *journey) accessKey(t *testing.T, function string) string {
	t.Helper()
	out, err := j.lambdas.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &function})
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(aws.ToString(out.FunctionArn) + ":" + aws.ToString(out.Role)))
	return "ASIA" + strings.ToUpper(hex.EncodeToString(sum[:8]))
}

// callOf reads a line of the trail as the grant that it needs.
func callOf(t *testing.T, function string, event *types.Event) grant {
	t.Helper()
	line := aws.ToString(event.CloudTrailEvent)
	resource := ""
	if n := len(event.Resources); n > 0 {
		resource = aws.ToString(event.Resources[n-1].ResourceName)
	}
	var call struct {
		EventSource, EventName string
		RequestParameters      struct {
			QueueUrl, TableName, SecretId, Name string //nolint:revive // as AWS calls them
			RequestItems                        map[string]any
		}
	}
	if err := json.Unmarshal([]byte(line), &call); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	service, _, _ := strings.Cut(call.EventSource, ".")
	g := grant{function: function, action: single(service + ":" + call.EventName)}
	switch parameters := call.RequestParameters; service {
	case "sqs":
		g.resource = queueName(path.Base(parameters.QueueUrl))
	case "dynamodb":
		g.resource = "the table"
		if _, batch := parameters.RequestItems[stackName+"-dedup"]; parameters.TableName != stackName+"-dedup" && !batch {
			g.resource = "another table: " + line
		}
	case "secretsmanager":
		g.resource = short(parameters.SecretId)
	case "ssm":
		g.resource = "the parameter"
		if parameters.Name != parameterName {
			g.resource = parameters.Name
		}
	case "s3":
		g.resource = "large packs"
		if !strings.HasPrefix(resource, "packs/") {
			g.resource = resource
		}
	case "lambda":
		g.action, g.resource = "lambda:InvokeFunction", strings.TrimPrefix(resource[strings.LastIndex(resource, ":")+1:], stackName+"-")
	default:
		g.resource = line
	}
	return g
}

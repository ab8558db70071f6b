package cloud

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
)

// update changes every function while events keep coming.
func (j *journey) update(t *testing.T) {
	if differs(t, stackUpdates) {
		return
	}
	stop, sent := make(chan struct{}), make(chan []string)
	go func() {
		var ids []string
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if id, ok := j.tryPost(t.Context(), "updated"); ok {
					ids = append(ids, id)
				}
			case <-stop:
				sent <- ids
				return
			}
		}
	}()
	began := time.Now()
	j.deploy(t, "log-level=debug", "trigger=queue")
	j.note(t, "update", began)
	close(stop)
	ids := <-sent
	if len(ids) == 0 {
		t.Fatal("no event was accepted during the update")
	}
	t.Logf("%d events were accepted during the update", len(ids))
	j.wantDeliveredWithin(t, updateWait, j.healthy, ids...)
	out, err := j.lambdas.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &j.flush})
	if err != nil {
		t.Fatal(err)
	}
	if got := out.Environment.Variables["MILLRACE_LOG_LEVEL"]; got != "debug" {
		t.Errorf("log level %q after the update, want debug", got)
	}
}

// destroy removes the stack; its queues and log groups are configured to go with it.
func (j *journey) destroy(t *testing.T) {
	if differs(t, stackDestroys) {
		return
	}
	began := time.Now()
	j.cdk(t, "destroy", append(j.app(), "--force")...)
	j.note(t, "destroy", began)
	_, err := j.formation.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String(stackName)})
	var apiError smithy.APIError
	if !errors.As(err, &apiError) || !strings.Contains(apiError.ErrorMessage(), "does not exist") {
		t.Errorf("the stack is still there: %v", err)
	}
	queues, err := j.queues.ListQueues(t.Context(), &sqs.ListQueuesInput{QueueNamePrefix: aws.String(stackName)})
	if err != nil {
		t.Fatal(err)
	}
	if len(queues.QueueUrls) != 0 {
		t.Errorf("queues are left: %v", queues.QueueUrls)
	}
	functions, err := j.lambdas.ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range functions.Functions {
		if name := aws.ToString(functions.Functions[i].FunctionName); strings.HasPrefix(name, stackName) {
			t.Errorf("the function %s is left", name)
		}
	}
}

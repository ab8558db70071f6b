package cloud

import (
	"errors"
	"os/exec"
	"path/filepath"
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
	j.wantUpgradable(t)
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

// wantUpgradable asks what `make deploy` asks first: whether the deployed stack is of this
// major version. One that is older is refused.
func (j *journey) wantUpgradable(t *testing.T) {
	t.Helper()
	ask := func(stack string) (string, error) {
		command := exec.CommandContext(t.Context(), filepath.Join(j.root, "bin", "millrace-upgrade"), stack)
		command.Env = environment()
		said, err := command.CombinedOutput()
		return string(said), err
	}
	for _, stack := range []string{stackName, stackName + "-not-there"} {
		if said, err := ask(stack); err != nil {
			t.Errorf("%s: %v: %s, want it to be upgradable", stack, err, said)
		}
	}
	old := stackName + "-old"
	_, err := j.formation.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: &old, TemplateBody: aws.String(`{
		"Resources": {"Nothing": {"Type": "AWS::CloudFormation::WaitConditionHandle"}},
		"Outputs": {"MajorVersion": {"Value": "0"}}}`)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if _, err := j.formation.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: &old}); err != nil {
			t.Error(err)
		}
	}()
	err = cloudformation.NewStackCreateCompleteWaiter(j.formation).Wait(t.Context(), &cloudformation.DescribeStacksInput{StackName: &old}, deliveryWait)
	if err != nil {
		t.Fatal(err)
	}
	if said, err := ask(old); err == nil || !strings.Contains(said, "cannot be updated") {
		t.Errorf("%s: %v: %s, want it to be refused", old, err, said)
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

package cloud

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/millrace-dev/millrace/pkg/awsconn"
)

// stackName is not the default, so that nothing works by luck.
const stackName = "cloudtest"

// key is the write key of the test's configuration.
const key = "phc_demo"

// stack is a deployed Millrace.
type stack struct {
	root, config string
	began        time.Time
	figures      []string

	formation  *cloudformation.Client
	lambdas    *lambda.Client
	queues     *sqs.Client
	logs       *cloudwatchlogs.Client
	identities *iam.Client
	trail      *cloudtrail.Client

	api, queueURL, letterURL  string
	ingest, flush, replayName string
}

// newStack writes the configuration and connects to the target. Nothing is deployed yet.
func newStack(t *testing.T, healthy, sick string) *stack {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{root: filepath.Dir(filepath.Dir(here)), config: filepath.Join(t.TempDir(), "millrace.yaml"), began: time.Now()}
	options := []func(*awsconfig.LoadOptions) error{awsconfig.WithRegion(region())}
	if *endpoint != "" {
		options = append(options, awsconfig.WithBaseEndpoint(*endpoint),
			awsconfig.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("test", "test", "")))
	}
	config, err := awsconfig.LoadDefaultConfig(t.Context(), options...)
	if err != nil {
		t.Fatal(err)
	}
	config.HTTPClient = awsconn.KeepConnections(config.HTTPClient) // a lost reply to CreateStack is a stack too many
	s.formation, s.lambdas, s.queues = cloudformation.NewFromConfig(config), lambda.NewFromConfig(config), sqs.NewFromConfig(config)
	s.logs, s.identities, s.trail = cloudwatchlogs.NewFromConfig(config), iam.NewFromConfig(config), cloudtrail.NewFromConfig(config)
	text := configuration(healthy, sick, storeSecrets(t, config))
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// The values of the secrets that the configuration refers to, and where they are.
const (
	parameterName  = "/" + stackName + "/token"
	parameterValue = "value-of-the-parameter"
	secretValue    = "value-of-the-secret"
)

// storeSecrets puts the secrets where the stack's user would, and returns the secret's ARN.
func storeSecrets(t *testing.T, config aws.Config) (arn string) {
	t.Helper()
	_, err := ssm.NewFromConfig(config).PutParameter(t.Context(), &ssm.PutParameterInput{
		Name: aws.String(parameterName), Value: aws.String(parameterValue), Type: types.ParameterTypeSecureString, Overwrite: aws.Bool(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	secrets := secretsmanager.NewFromConfig(config)
	made, err := secrets.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String(stackName), SecretString: aws.String(`{"token":"` + secretValue + `"}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := secrets.DeleteSecret(context.Background(), &secretsmanager.DeleteSecretInput{SecretId: made.ARN, ForceDeleteWithoutRecovery: aws.Bool(true)})
		if err != nil {
			t.Logf("the secret %s is left: %v", aws.ToString(made.ARN), err)
		}
	})
	return aws.ToString(made.ARN)
}

// configuration has a sink that is well and one that can be made sick.
func configuration(healthy, sick, secretARN string) string {
	return fmt.Sprintf(`version: 1
keys:
  - { name: demo, sha256: d12432d28e551982af48b86471e52426804efc91cbff815ab356ba1bc7a3cdf9, tenant: demo }
sinks:
  healthy:
    type: http
    url: %q
    timeout: 1s
    headers: { authorization: "Bearer ${ssm:%s} ${secret:%s#token}" }
  sick:    { type: http, url: %q, timeout: 1s, breaker: { failures: 1000 }, retry: { max_inline_wait: 0s } }
routes:
  - { match: { type: "sick*" }, to: [healthy, sick] }
  - { to: [healthy] }
flush: { max_age: 1s }
dedup: { on_store_failure: closed }
`, healthy, parameterName, secretARN, sick)
}

// cdk runs the CDK command line, and keeps what it prints for a failure.
func (s *stack) cdk(t *testing.T, verb string, arguments ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), *cdkCommand, append([]string{verb, "--no-notices", "--no-version-reporting"}, arguments...)...)
	command.Dir, command.Env = s.root, environment()
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Run(); err != nil {
		t.Fatalf("cdk %s: %v\n%s", verb, err, output.String())
	}
}

// app are the arguments that describe the stack to the CDK command line.
func (s *stack) app(settings ...string) []string {
	architecture := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	all := append([]string{
		"target=" + *targetName, "stack=" + stackName, "config=" + s.config, "architecture=" + architecture,
		"dist=" + filepath.Join(s.root, "dist", "linux-"+runtime.GOARCH), "max-receives=3", "bucket=on",
	}, settings...)
	if *enforceIAM {
		// Only the test itself starts a flush, which has time.
		all = append(all, "cli-credentials=yes", "trigger=queue", "flush-timeout=10s")
	} else {
		all = append(all, "flush-timeout=2s")
	}
	arguments := []string{"--app", filepath.Join(s.root, "bin", "millrace-infra"), "--output", filepath.Join(filepath.Dir(s.config), "cdk.out")}
	for _, setting := range all {
		arguments = append(arguments, "-c", setting)
	}
	return append(arguments, stackName)
}

// deploy deploys the stack, or an update of it, and reads its outputs.
func (s *stack) deploy(t *testing.T, settings ...string) {
	t.Helper()
	s.cdk(t, "deploy", append(s.app(settings...), "--require-approval", "never", "--progress", "events")...)
	out, err := s.formation.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String(stackName)})
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, output := range out.Stacks[0].Outputs {
		values[aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
	}
	s.api = apiURL(t, values["ApiUrl"])
	s.queueURL, s.letterURL = values["QueueUrl"], values["DeadLetterQueueUrl"]
	s.ingest, s.flush, s.replayName = values["IngestFunction"], values["FlushFunction"], values["ReplayFunction"]
}

// millrace runs the command line against the target.
func (s *stack) millrace(t *testing.T, arguments ...string) string {
	t.Helper()
	target := *endpoint
	if target == "" {
		target = "aws"
	}
	command := exec.CommandContext(t.Context(), filepath.Join(s.root, "bin", "millrace"), append(arguments, "--aws", target)...)
	command.Env = environment()
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("millrace %s: %v\n%s", strings.Join(arguments, " "), err, output)
	}
	return string(output)
}

// note keeps a figure for the end.
func (s *stack) note(t *testing.T, what string, began time.Time) {
	t.Helper()
	s.figures = append(s.figures, fmt.Sprintf("%s %.1fs", what, time.Since(began).Seconds()))
}

// eventually waits for a condition of the outside world, which has its own clock.
func eventually(t *testing.T, within time.Duration, what string, condition func(ctx context.Context) (string, bool)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		state, ok := condition(ctx)
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: not within %v: %s", what, within, state)
		}
	}
}

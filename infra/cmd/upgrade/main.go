// Command upgrade fails when a deployed stack cannot be updated by this version: `make
// deploy` asks it first. It reads the stack's outputs and changes nothing.
//
//	upgrade STACK
//
// Credentials, region and endpoint come from the environment, as for the AWS CLI.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/smithy-go"

	"github.com/millrace-dev/millrace/infra/upgrade"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: upgrade STACK")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, stack string) error {
	outputs, err := outputsOf(ctx, stack)
	if err != nil {
		return fmt.Errorf("read the stack %s: %w", stack, err)
	}
	return upgrade.Check(stack, outputs)
}

// outputsOf returns nil for a stack that does not exist, or of which nothing does.
func outputsOf(ctx context.Context, stack string) (map[string]string, error) {
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	out, err := cloudformation.NewFromConfig(settings).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &stack})
	// CloudFormation has no code of its own for it.
	if api, ok := errors.AsType[smithy.APIError](err); ok && strings.Contains(api.ErrorMessage(), "does not exist") {
		return nil, nil //nolint:nilnil // no stack has no outputs
	}
	if err != nil {
		return nil, err
	}
	var outputs map[string]string
	for i := range out.Stacks {
		if !upgrade.IsDeployed(string(out.Stacks[i].StackStatus)) {
			continue
		}
		outputs = map[string]string{}
		for _, output := range out.Stacks[i].Outputs {
			outputs[aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
		}
	}
	return outputs, nil
}

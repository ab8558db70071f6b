package main

import "testing"

func TestAWSFlags_Stack_NamesItsQueuesAndFunctions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, stack, given, want string
	}{
		{"without a stack names stay", "", "millrace-dlq", "millrace-dlq"},
		{"the main queue is called as the stack", "prod", "millrace", "prod"},
		{"other names start with the stack's", "prod", "millrace-replay", "prod-replay"},
		{"what was named otherwise stays", "prod", "https://sqs.eu-west-1.amazonaws.com/1/other", "https://sqs.eu-west-1.amazonaws.com/1/other"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := (awsFlags{Stack: test.stack}).named(test.given); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestAWSFlags_Stack_IsInAWSUnlessToldOtherwise(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, stack, aws, want string }{
		{"millrace dev without a stack", "", defaultAWS, defaultAWS},
		{"AWS itself with a stack", "prod", defaultAWS, realAWS},
		{"an emulator when it is named", "prod", "http://127.0.0.1:4566", "http://127.0.0.1:4566"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := (awsFlags{Stack: test.stack, AWS: test.aws}).address(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

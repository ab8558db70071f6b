package millrace

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
)

// IAMGuard is an aspect that fails the synthesis of a policy which allows an action or a
// resource by wildcard, unless [wildcardReasons] says why.
type IAMGuard struct{}

var _ awscdk.IAspect = (*IAMGuard)(nil)

// wildcardReasons are the actions that may be allowed on every resource, each with its
// reason.
func wildcardReasons() map[string]string {
	const tracing = "X-Ray has no resources to name (Service Authorization Reference, AWS X-Ray)"
	return map[string]string{"xray:PutTraceSegments": tracing, "xray:PutTelemetryRecords": tracing}
}

// Visit checks one construct.
func (*IAMGuard) Visit(node constructs.IConstruct) {
	var documents []any
	switch node := node.(type) {
	case awsiam.CfnPolicy:
		documents = append(documents, node.PolicyDocument())
	case awsiam.CfnManagedPolicy:
		documents = append(documents, node.PolicyDocument())
	case awsiam.CfnRole:
		documents = append(documents, node.Policies())
	default:
		return
	}
	for _, document := range documents {
		if document == nil {
			continue // a role without policies of its own
		}
		for _, problem := range wildcards(awscdk.Stack_Of(node).Resolve(document)) {
			awscdk.Annotations_Of(node).AddError(&problem)
		}
	}
}

// wildcards returns what is wrong with the statements found anywhere in a resolved policy.
func wildcards(policy any) []string {
	var problems []string
	switch policy := policy.(type) {
	case []any:
		for _, element := range policy {
			problems = append(problems, wildcards(element)...)
		}
	case map[string]any:
		if _, isStatement := policy["Effect"]; isStatement {
			return wildcardsOf(policy)
		}
		for _, value := range policy {
			problems = append(problems, wildcards(value)...)
		}
	}
	return problems
}

// wildcardsOf checks one statement. A Deny may be as wide as it likes.
func wildcardsOf(statement map[string]any) []string {
	if statement["Effect"] == "Deny" {
		return nil
	}
	var problems []string
	excused := true
	for _, action := range listOf(statement["Action"]) {
		if text, _ := action.(string); strings.Contains(text, "*") {
			problems = append(problems, fmt.Sprintf("IAM: the action %s is a wildcard; name the actions", text))
		}
		_, hasReason := wildcardReasons()[fmt.Sprint(action)]
		excused = excused && hasReason
	}
	for _, resource := range listOf(statement["Resource"]) {
		if hasWildcard(resource) && !excused {
			problems = append(problems, fmt.Sprintf("IAM: the resource %v of %v has a wildcard; name the resource", resource, statement["Action"]))
		}
	}
	for _, inverse := range []string{"NotAction", "NotResource"} {
		if _, has := statement[inverse]; has {
			problems = append(problems, "IAM: "+inverse+" allows everything else; name what is allowed")
		}
	}
	return problems
}

// listOf reads a policy element, which is one value or a list.
func listOf(element any) []any {
	if list, ok := element.([]any); ok {
		return list
	}
	if element == nil {
		return nil
	}
	return []any{element}
}

// hasWildcard looks into the strings of a value, however CloudFormation joins them.
func hasWildcard(value any) bool {
	switch value := value.(type) {
	case string:
		return strings.Contains(value, "*")
	case []any:
		return slices.ContainsFunc(value, hasWildcard)
	case map[string]any:
		for _, element := range value {
			if hasWildcard(element) {
				return true
			}
		}
	}
	return false
}

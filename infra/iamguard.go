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

// wildcardReason says why an action may be allowed on resources that end in a wildcard.
type wildcardReason struct{ ending, reason string }

// wildcardReasons are the only actions that may.
func wildcardReasons() map[string]wildcardReason {
	tracing := wildcardReason{"*", "X-Ray has no resources to name (Service Authorization Reference, AWS X-Ray)"}
	packs := wildcardReason{"/" + claimPrefix + "*", "objects are named after what is in them, so they cannot be named before"}
	return map[string]wildcardReason{
		"xray:PutTraceSegments": tracing, "xray:PutTelemetryRecords": tracing, "s3:PutObject": packs, "s3:GetObject": packs,
	}
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
	actions := listOf(statement["Action"])
	for _, action := range actions {
		if text, _ := action.(string); strings.Contains(text, "*") {
			problems = append(problems, fmt.Sprintf("IAM: the action %s is a wildcard; name the actions", text))
		}
	}
	for _, resource := range listOf(statement["Resource"]) {
		if !named(resource, actions) {
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

// named says whether a resource has no wildcard, or the one that each of the actions has a
// reason for.
func named(resource any, actions []any) bool {
	text := textOf(resource)
	wild := func(action any) bool {
		allowed, hasReason := wildcardReasons()[fmt.Sprint(action)]
		rest, fits := strings.CutSuffix(text, allowed.ending)
		return !hasReason || !fits || strings.Contains(rest, "*")
	}
	return !strings.Contains(text, "*") || !slices.ContainsFunc(actions, wild)
}

// textOf is what is written in a value, in order, however CloudFormation joins it.
func textOf(value any) string {
	var text strings.Builder
	switch value := value.(type) {
	case string:
		return value
	case []any:
		for _, element := range value {
			text.WriteString(textOf(element))
		}
	case map[string]any: // a function of CloudFormation, which has one member
		for _, element := range value {
			text.WriteString(textOf(element))
		}
	}
	return text.String()
}

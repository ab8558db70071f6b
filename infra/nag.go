package millrace

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// skip tells cdk-nag why a rule does not apply to a construct's resource, in the metadata
// that cdk-nag reads from the template.
func skip(construct constructs.IConstruct, rule, reason string) {
	resource, ok := construct.Node().DefaultChild().(awscdk.CfnResource)
	if !ok {
		if resource, ok = construct.(awscdk.CfnResource); !ok {
			return
		}
	}
	suppressed, _ := resource.GetMetadata(jsii.String("cdk_nag")).(map[string]any)
	rules, _ := suppressed["rules_to_suppress"].([]any)
	rules = append(rules, map[string]any{"id": rule, "reason": reason})
	resource.AddMetadata(jsii.String("cdk_nag"), map[string]any{"rules_to_suppress": rules})
}

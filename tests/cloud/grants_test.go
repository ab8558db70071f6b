package cloud

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// grant is one call on one resource that the role of a function allows.
type grant struct{ function, action, resource string }

func (g grant) String() string { return g.function + " may " + g.action + " on " + g.resource }

// unproved are the grants that no call of a function can prove, each with its reason.
func unproved() map[string]string {
	const logs = "Lambda itself writes what functions print; emulators do so without asking the role"
	return map[string]string{
		"logs:CreateLogStream": logs,
		"logs:PutLogEvents":    logs,
		"sqs:GetQueueAttributes": "Lambda itself asks for it on AWS, before it accepts the event-source mapping (Lambda Developer Guide, " +
			"\"Using Lambda with Amazon SQS\"); emulators make the mapping without asking the role",
		"s3:ListBucket": "S3 itself asks for it before it says that an object is missing (API reference, GetObject); MiniStack says so to everybody",
	}
}

// policy is one inline policy of a function's role.
type policy struct {
	function, role, name string
	document             document
}

type document struct {
	Version   string
	Statement []statement
}

// statement is one of an inline policy. IAM writes a list of one as that one.
type statement struct {
	Effect           string
	Action, Resource list
}

type list []string

// UnmarshalJSON implements json.Unmarshaler.
func (l *list) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*l = list{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(l))
}

// policies reads the inline policies of the functions' roles, as they were deployed.
func (j *journey) policies(t *testing.T) []policy {
	t.Helper()
	var all []policy
	for _, function := range []string{j.ingest, j.flush, j.replayName} {
		configuration, err := j.lambdas.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &function})
		if err != nil {
			t.Fatal(err)
		}
		_, role, _ := strings.Cut(aws.ToString(configuration.Role), ":role/")
		names, err := j.identities.ListRolePolicies(t.Context(), &iam.ListRolePoliciesInput{RoleName: &role})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names.PolicyNames {
			out, err := j.identities.GetRolePolicy(t.Context(), &iam.GetRolePolicyInput{RoleName: &role, PolicyName: &name})
			if err != nil {
				t.Fatal(err)
			}
			p := policy{function: strings.TrimPrefix(function, stackName+"-"), role: role, name: name}
			text, err := url.QueryUnescape(aws.ToString(out.PolicyDocument))
			if err == nil {
				err = json.Unmarshal([]byte(text), &p.document)
			}
			if err != nil {
				t.Fatalf("%s of %s: %v", name, role, err)
			}
			all = append(all, p)
		}
	}
	return all
}

// put writes the policy with other statements.
func (j *journey) put(t *testing.T, p *policy, statements []statement) {
	t.Helper()
	text, err := json.Marshal(document{Version: p.document.Version, Statement: statements})
	if err != nil {
		t.Fatal(err)
	}
	_, err = j.identities.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: &p.role, PolicyName: &p.name, PolicyDocument: aws.String(string(text))})
	if err != nil {
		t.Fatal(err)
	}
}

// grants lists what the policy allows, each once.
func (p *policy) grants() []grant {
	var all []grant
	p.each(func(g grant, _ statement) {
		if !slices.Contains(all, g) {
			all = append(all, g)
		}
	})
	return all
}

// without returns the policy's statements with all that make up a grant left out.
func (p *policy) without(g grant) []statement {
	var kept []statement
	p.each(func(other grant, s statement) {
		if other != g {
			kept = append(kept, s)
		}
	})
	return kept
}

// each calls do for each action on each resource, as a statement of its own.
func (p *policy) each(do func(grant, statement)) {
	for _, s := range p.document.Statement {
		for _, action := range s.Action {
			for _, resource := range s.Resource {
				do(grant{p.function, single(action), short(resource)}, statement{s.Effect, list{action}, list{resource}})
			}
		}
	}
}

// single is the call that AWS checks in place of a batch call. Only emulators know actions
// for those, and the stack has both for them.
func single(action string) string {
	if strings.HasPrefix(action, "sqs:") {
		return strings.TrimSuffix(action, "Batch")
	}
	return action
}

// short is what a person calls the resource of an ARN.
func short(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return arn
	}
	switch service, name := parts[2], parts[5]; service {
	case "sqs":
		return queueName(name)
	case "dynamodb":
		return "the table"
	case "secretsmanager":
		return "the secret"
	case "ssm":
		return "the parameter"
	case "s3":
		if strings.HasSuffix(name, "/packs/*") {
			return "large packs"
		}
		return "the bucket"
	case "lambda":
		return strings.TrimPrefix(name, "function:"+stackName+"-")
	case "logs":
		return "its log group"
	default:
		return arn
	}
}

func queueName(name string) string {
	switch name {
	case stackName:
		return "packs"
	case stackName + "-dlq":
		return "letters"
	default:
		return fmt.Sprintf("the queue %s", name)
	}
}

// needGrants takes each grant away in turn, and shows that something fails without it and
// works with it.
func (j *journey) needGrants(t *testing.T) {
	mapping := j.mapping(t)
	j.enableMapping(t, mapping, false) // the test flushes itself, so that it sees what comes of it
	defer j.enableMapping(t, mapping, true)
	proved := map[grant]bool{}
	policies := j.policies(t)
	for i := range policies {
		p := &policies[i]
		for _, g := range p.grants() {
			reason, exempt := unproved()[g.action]
			proof := j.proofs()[g]
			switch {
			case exempt:
				t.Logf("%s: not proved: %s", g, reason)
			case proof == nil:
				t.Errorf("%s: nothing shows that it is needed", g)
			default:
				proved[g] = true
				t.Run(g.String(), func(t *testing.T) { j.prove(t, p, g, proof) })
			}
		}
	}
	for g := range j.proofs() {
		if !proved[g] {
			t.Errorf("%s: the proof is of a grant that the stack does not have", g)
		}
	}
}

// prove runs the proof without the grant and with it.
func (j *journey) prove(t *testing.T, p *policy, g grant, proof func(*testing.T) error) {
	t.Helper()
	began := time.Now()
	j.put(t, p, p.without(g))
	denied := j.attempt(t, proof)
	j.put(t, p, p.document.Statement)
	switch {
	case denied == nil:
		t.Error("works without it")
	case !tells(denied.Error(), g): // what failed may not be what noticed
		j.wantLogged(t, stackName+"-"+g.function, began, denialOf(g))
	}
	if err := j.attempt(t, proof); err != nil {
		t.Errorf("fails with it: %v", err)
	}
}

// denialOf is what AWS and MiniStack say to who may not.
func denialOf(g grant) string { return denial + ": " + g.action }

const denial = "not authorized to perform"

// tells says whether a text tells of a denied call. SQS writes its actions in small letters.
func tells(text string, g grant) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(denialOf(g)))
}

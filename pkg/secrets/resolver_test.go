package secrets

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/millrace-dev/millrace/pkg/config"
)

const secretARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:warehouse-AbCdEf"

// service answers as AWS would, and keeps the last request.
type service struct {
	status int
	body   string

	request http.Header
	asked   string
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.request, s.asked = r.Header, string(body)
	w.WriteHeader(s.status)
	_, _ = io.WriteString(w, s.body)
}

// resolver asks the service.
func resolver(t *testing.T, s *service) *Resolver {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return New(aws.Config{
		Region: "us-east-1", BaseEndpoint: &server.URL,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "hidden"}, nil
		}),
	})
}

func TestResolver_Resolve_Values(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name               string
		reference          config.Reference
		body               string
		want               string
		target, asks, sign string
	}{
		{
			"a whole secret", config.Reference{Scheme: config.SchemeSecret, Name: secretARN}, `{"ARN":"x","SecretString":"s3cret"}`, "s3cret",
			"secretsmanager.GetSecretValue", `{"SecretId":"` + secretARN + `"}`, "/eu-west-1/secretsmanager/aws4_request",
		},
		{
			"one key of a secret", config.Reference{Scheme: config.SchemeSecret, Name: secretARN + "#token"}, `{"SecretString":"{\"user\":1,\"token\":\"s3cret\"}"}`, "s3cret",
			"secretsmanager.GetSecretValue", `{"SecretId":"` + secretARN + `"}`, "/eu-west-1/secretsmanager/aws4_request",
		},
		{
			"a parameter", config.Reference{Scheme: config.SchemeSSM, Name: "/millrace/token"}, `{"Parameter":{"Name":"/millrace/token","Value":"s3cret"}}`, "s3cret",
			"AmazonSSM.GetParameter", `"Name":"/millrace/token"`, "/us-east-1/ssm/aws4_request",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := &service{status: http.StatusOK, body: test.body}
			got, err := resolver(t, s).Resolve(t.Context(), test.reference)
			if err != nil || got != test.want {
				t.Fatalf("got %q, %v, want %q", got, err, test.want)
			}
			if target := s.request.Get("X-Amz-Target"); target != test.target {
				t.Errorf("called %q, want %q", target, test.target)
			}
			if !strings.Contains(s.asked, test.asks) {
				t.Errorf("asked %s, want it to hold %s", s.asked, test.asks)
			}
			if sign := s.request.Get("Authorization"); !strings.Contains(sign, test.sign) {
				t.Errorf("signed %q, want the scope %q", sign, test.sign)
			}
		})
	}
}

func TestResolver_Resolve_Parameter_IsDecrypted(t *testing.T) {
	t.Parallel()
	s := &service{status: http.StatusOK, body: `{"Parameter":{"Value":"v"}}`}
	if _, err := resolver(t, s).Resolve(t.Context(), config.Reference{Scheme: config.SchemeSSM, Name: "/p"}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(s.asked, `"WithDecryption":true`) {
		t.Errorf("asked %s, want WithDecryption", s.asked)
	}
}

func TestResolver_Resolve_Failures_SayWhyAndHoldNoValue(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, reference, body string
		status                int
		want                  string
	}{
		{"the secret does not exist", secretARN, `{"__type":"com.amazonaws#ResourceNotFoundException","Message":"not here"}`, 400, "status 400 ResourceNotFoundException: not here"},
		{"the function may not read it", secretARN, `{"__type":"AccessDeniedException","message":"not authorized"}`, 400, "AccessDeniedException: not authorized"},
		{"something else answers", secretARN, `<html>s3cret</html>`, 503, "status 503"},
		{"the key is not there", secretARN + "#other", `{"SecretString":"{\"token\":\"s3cret\"}"}`, 200, `no key "other"`},
		{"the key is no text", secretARN + "#token", `{"SecretString":"{\"token\":{\"s3cret\":1}}"}`, 200, "is no text"},
		{"the secret is no object", secretARN + "#token", `{"SecretString":"s3cret"}`, 200, "no JSON object"},
		{"the secret is binary", secretARN, `{"SecretBinary":"czNjcmV0"}`, 200, "is binary"},
		{"the reply is no JSON", secretARN, `s3cret`, 200, "not what the service documents"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := &service{status: test.status, body: test.body}
			_, err := resolver(t, s).Resolve(t.Context(), config.Reference{Scheme: config.SchemeSecret, Name: test.reference})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want an error that says %q", err, test.want)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error holds the value: %v", err)
			}
		})
	}
}

func TestResolver_Resolve_Env_AsksNobody(t *testing.T) {
	t.Setenv("MILLRACE_TEST_SECRET", "value")
	got, err := New(aws.Config{}).Resolve(t.Context(), config.Reference{Scheme: config.SchemeEnv, Name: "MILLRACE_TEST_SECRET"})
	if err != nil || got != "value" {
		t.Errorf("got %q, %v, want value", got, err)
	}
}

func TestCall_Endpoint_FollowsTheRegion(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"eu-west-1":  "https://ssm.eu-west-1.amazonaws.com/",
		"cn-north-1": "https://ssm.cn-north-1.amazonaws.com.cn/",
	}
	for region, want := range tests {
		if got := (call{service: "ssm", region: region}).endpoint(&aws.Config{}); got != want {
			t.Errorf("%s: got %s, want %s", region, got, want)
		}
	}
}

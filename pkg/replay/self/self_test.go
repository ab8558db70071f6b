package self_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/millrace-dev/millrace/pkg/awsconn"
	"github.com/millrace-dev/millrace/pkg/replay/self"
)

const arn = "arn:aws:lambda:us-east-1:000000000000:function:millrace-replay"

// lambdaAPI answers invocations with a status and keeps the last one.
func lambdaAPI(t *testing.T, status int) (calls *[]string) {
	t.Helper()
	calls = new([]string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		*calls = append(*calls, r.URL.Path+" "+r.Header.Get("X-Amz-Invocation-Type")+" "+string(body))
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(name, value)
	}
	return calls
}

// function is that of the environment.
func function(t *testing.T) self.Function {
	t.Helper()
	cfg, err := awsconn.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return self.Function{AWS: cfg}
}

func invocation(ctx context.Context) context.Context {
	return lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{InvokedFunctionArn: arn})
}

func TestFunction_Invoke_DoesNotWait(t *testing.T) { //nolint:paralleltest // sets the environment
	calls := lambdaAPI(t, http.StatusAccepted)
	if err := function(t).Invoke(invocation(t.Context()), []byte(`{"sink":"http"}`)); err != nil {
		t.Fatal(err)
	}
	want := "/2015-03-31/functions/" + arn + `/invocations Event {"sink":"http"}`
	if len(*calls) != 1 || (*calls)[0] != want {
		t.Errorf("calls are %q, want %q", *calls, want)
	}
}

func TestFunction_Invoke_SaysWhatFailed(t *testing.T) { //nolint:paralleltest // sets the environment
	calls := lambdaAPI(t, http.StatusForbidden)
	if err := function(t).Invoke(invocation(t.Context()), nil); err == nil || len(*calls) != 1 {
		t.Errorf("error is %v after %d calls, want one of Lambda's", err, len(*calls))
	}
	if err := function(t).Invoke(t.Context(), nil); err == nil || len(*calls) != 1 {
		t.Errorf("outside of an invocation: error is %v after %d calls, want one without a call", err, len(*calls))
	}
}

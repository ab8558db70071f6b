package telemetry_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/millrace-dev/millrace/pkg/config"
	"github.com/millrace-dev/millrace/pkg/telemetry"
)

func TestLogger_Lines_CarryTheInvocation(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	logger := telemetry.Logger(&out).With("sink", "http").WithGroup("batch")
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "req-7"})
	logger.InfoContext(ctx, "delivered", "events", 3)
	telemetry.Logger(&out).Info("outside of an invocation")

	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var first, second map[string]any
	for i, target := range []*map[string]any{&first, &second} {
		if err := json.Unmarshal([]byte(lines[i]), target); err != nil {
			t.Fatalf("line %d is no JSON: %v: %s", i+1, err, lines[i])
		}
	}
	batch, _ := first["batch"].(map[string]any)
	if first["message"] != "delivered" || first["level"] != "INFO" || first["timestamp"] == nil || first["sink"] != "http" ||
		batch["events"] != 3.0 || batch["requestId"] != "req-7" {
		t.Errorf("line = %s", lines[0])
	}
	if _, has := second["requestId"]; has {
		t.Errorf("a line outside of an invocation has a request id: %s", lines[1])
	}
}

//nolint:paralleltest // sets environment variables
func TestLogger_Level_ComesFromTheEnvironment(t *testing.T) {
	for value, want := range map[string]string{"debug": "d i w e", "": "i w e", "warn": "w e", "ERROR": "e", "loud": "i w e"} {
		t.Setenv(config.EnvLogLevel, value)
		var out bytes.Buffer
		logger := telemetry.Logger(&out)
		logger.Debug("d")
		logger.Info("i")
		logger.Warn("w")
		logger.Error("e")
		var got []string
		for line := range strings.Lines(out.String()) {
			var record struct{ Message string }
			if err := json.Unmarshal([]byte(line), &record); err != nil {
				t.Fatal(err)
			}
			got = append(got, record.Message)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s=%q logs %v, want %s", config.EnvLogLevel, value, got, want)
		}
	}
}

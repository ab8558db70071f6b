package lambda

import (
	"encoding/base64"
	"io"
	"net/http"
	"strings"

	"github.com/millrace-dev/millrace/internal/localaws/account"
)

// Handler answers the Lambda API: Invoke and GetFunctionConfiguration. Anything else is refused with AWS's error shape.
func (h *Host) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2015-03-31/functions/{name}/invocations", h.serveInvoke)
	mux.HandleFunc("GET /2015-03-31/functions/{name}/configuration", h.serveConfiguration)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeError(w, refusal(http.StatusNotFound, "UnknownOperationException",
			"%s %s is not emulated; Invoke and GetFunctionConfiguration are", r.Method, r.URL.Path))
	})
	return mux
}

// functionOf returns the function that a request names, with its qualifier.
func functionOf(r *http.Request) string {
	return strings.TrimSuffix(r.PathValue("name")+":"+r.URL.Query().Get("Qualifier"), ":")
}

func (h *Host) serveInvoke(w http.ResponseWriter, r *http.Request) {
	payload, err := readPayload(r)
	if err != nil {
		writeError(w, err)
		return
	}
	options := InvokeOptions{Type: InvocationType(r.Header.Get("X-Amz-Invocation-Type")), TraceID: r.Header.Get("X-Amzn-Trace-Id")}
	result, err := h.Invoke(r.Context(), functionOf(r), payload, options)
	if err != nil {
		writeError(w, err)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("X-Amz-Executed-Version", Version)
	header.Set("X-Amzn-RequestId", result.RequestID)
	if result.Failed() {
		header.Set("X-Amz-Function-Error", result.FunctionError)
	}
	if r.Header.Get("X-Amz-Log-Type") == "Tail" {
		header.Set("X-Amz-Log-Result", base64.StdEncoding.EncodeToString(result.LogTail))
	}
	if options.Type == InvocationEvent {
		w.WriteHeader(http.StatusAccepted)
	}
	_, _ = w.Write(result.Payload)
}

// readPayload reads a payload of any length that Invoke may accept, and one byte more.
func readPayload(r *http.Request) ([]byte, error) {
	if r.Header.Get("X-Amz-Client-Context") != "" {
		return nil, refusal(http.StatusBadRequest, invalidContent, "A client context is not emulated")
	}
	payload, err := io.ReadAll(io.LimitReader(r.Body, MaxPayloadBytes+1))
	if err != nil {
		return nil, refusal(http.StatusBadRequest, invalidContent, "Could not read the request body: %v", err)
	}
	return payload, nil
}

func (h *Host) serveConfiguration(w http.ResponseWriter, r *http.Request) {
	p, err := h.find(functionOf(r))
	if err != nil {
		writeError(w, err)
		return
	}
	f := p.function
	writeJSON(w, http.StatusOK, map[string]any{
		"FunctionName": f.Name, "FunctionArn": h.ARN(f.Name), "Version": Version, "Role": "arn:aws:iam::" + account.ID + ":role/" + f.Name,
		"Runtime": "provided.al2023", "Handler": "bootstrap", "PackageType": "Zip", "State": "Active", "LastUpdateStatus": "Successful",
		"MemorySize": f.MemoryMB, "Timeout": int(f.Timeout.Seconds()),
		"Environment":   map[string]any{"Variables": f.Environment},
		"LoggingConfig": map[string]any{"LogFormat": logFormat, "LogGroup": logGroup(f.Name)},
	})
}

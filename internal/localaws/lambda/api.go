package lambda

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// apiPrefix starts every path of the Lambda HTTP API that this host knows.
const apiPrefix = "/2015-03-31/functions/"

var _ http.Handler = (*Host)(nil)

// ServeHTTP answers the Lambda API: POST {prefix}{name}/invocations and GET {prefix}{name}/configuration, where prefix is
// /2015-03-31/functions/. Anything else is refused with AWS's error shape.
func (h *Host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rest, found := strings.CutPrefix(r.URL.Path, apiPrefix)
	name, action, cut := cutLast(rest)
	switch {
	case found && cut && action == "invocations" && r.Method == http.MethodPost:
		h.serveInvoke(w, r, qualified(name, r))
	case found && cut && action == "configuration" && r.Method == http.MethodGet:
		h.serveConfiguration(w, qualified(name, r))
	default:
		writeError(w, &Error{
			Type: "UnknownOperationException", Status: http.StatusNotFound,
			Message: r.Method + " " + r.URL.Path + " is not emulated; Invoke and GetFunctionConfiguration are",
		})
	}
}

func cutLast(path string) (before, after string, found bool) {
	at := strings.LastIndexByte(path, '/')
	if at < 0 {
		return path, "", false
	}
	return path[:at], path[at+1:], true
}

func qualified(name string, r *http.Request) string {
	if qualifier := r.URL.Query().Get("Qualifier"); qualifier != "" {
		return name + ":" + qualifier
	}
	return name
}

func (h *Host) serveInvoke(w http.ResponseWriter, r *http.Request, name string) {
	payload, err := readPayload(r)
	if err != nil {
		writeError(w, err)
		return
	}
	result, err := h.Invoke(r.Context(), name, payload, InvokeOptions{
		Type:          InvocationType(r.Header.Get("X-Amz-Invocation-Type")),
		Log:           LogType(r.Header.Get("X-Amz-Log-Type")),
		TraceID:       r.Header.Get("X-Amzn-Trace-Id"),
		ClientContext: r.Header.Get("X-Amz-Client-Context"),
	})
	if err != nil {
		writeError(w, err)
		return
	}
	header := w.Header()
	header.Set("X-Amz-Executed-Version", Version)
	header.Set("Content-Type", "application/json")
	if result.RequestID != "" {
		header.Set("X-Amzn-RequestId", result.RequestID)
	}
	if result.Failed() {
		header.Set("X-Amz-Function-Error", result.FunctionError)
	}
	if len(result.LogTail) > 0 {
		header.Set("X-Amz-Log-Result", base64.StdEncoding.EncodeToString(result.LogTail))
	}
	w.WriteHeader(result.Status)
	_, _ = w.Write(result.Payload)
}

func readPayload(r *http.Request) ([]byte, error) {
	payload, err := io.ReadAll(io.LimitReader(r.Body, MaxPayloadBytes+1))
	if err != nil {
		return nil, invalidContent("Could not read the request body: " + err.Error())
	}
	if len(payload) > MaxPayloadBytes {
		return nil, tooLarge(MaxPayloadBytes)
	}
	lenient := []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}
	if len(payload) > 0 && !jsontext.Value(payload).IsValid(lenient...) {
		return nil, invalidContent("Could not parse request body into json: the payload is not valid JSON")
	}
	return payload, nil
}

// configuration is what GetFunctionConfiguration says here.
type configuration struct {
	FunctionName, FunctionArn, Version, Runtime, Handler, Role string
	PackageType, State, LastUpdateStatus                       string
	MemorySize, Timeout                                        int
	Environment                                                struct{ Variables map[string]string }
	LoggingConfig                                              struct {
		LogFormat LogFormat
		LogGroup  string
	}
}

func (h *Host) serveConfiguration(w http.ResponseWriter, name string) {
	p, err := h.find(name)
	if err != nil {
		writeError(w, err)
		return
	}
	f := p.function
	c := configuration{
		FunctionName: f.Name, FunctionArn: p.arn, Version: Version, Runtime: "provided.al2023", Handler: "bootstrap",
		Role: "arn:aws:iam::" + h.options.AccountID + ":role/" + f.Name, PackageType: "Zip", State: "Active", LastUpdateStatus: "Successful",
		MemorySize: f.MemoryMB, Timeout: int(f.Timeout.Seconds()),
	}
	c.Environment.Variables = f.Environment
	c.LoggingConfig.LogFormat, c.LoggingConfig.LogGroup = f.LogFormat, "/aws/lambda/"+f.Name
	writeJSON(w, http.StatusOK, c)
}

func writeError(w http.ResponseWriter, err error) {
	var refusal *Error
	if !errors.As(err, &refusal) {
		refusal = &Error{Type: "ServiceException", Message: err.Error(), Status: http.StatusInternalServerError}
	}
	w.Header().Set("X-Amzn-ErrorType", refusal.Type)
	if refusal.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(refusal.RetryAfter.Seconds())))
	}
	blame := "User"
	if refusal.Status >= http.StatusInternalServerError {
		blame = "Service"
	}
	// AWS spells the message with a small letter for some exceptions and with a capital one for others; clients accept both.
	writeJSON(w, refusal.Status, struct {
		Type    string
		Reason  string `json:",omitempty"`
		Message string `json:"message"`
	}{blame, refusal.Reason, refusal.Message})
}

// writeJSON answers with a value of ours, whose texts may come from anywhere.
func writeJSON(w http.ResponseWriter, status int, value any) {
	body, _ := json.Marshal(value, jsontext.AllowInvalidUTF8(true)) // nothing else can be wrong with it
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

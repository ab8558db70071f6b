package lambda

import (
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

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

func (h *Host) serveConfiguration(w http.ResponseWriter, name string) {
	p, err := h.find(name)
	if err != nil {
		writeError(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(appendConfiguration(nil, p))
}

// appendConfiguration writes the fields of GetFunctionConfiguration that mean something here.
func appendConfiguration(dst []byte, p *pool) []byte {
	quote := func(name, value string) {
		dst = append(dst, ',', '"')
		dst = append(append(dst, name...), `":`...)
		dst, _ = jsontext.AppendQuote(dst, value)
	}
	number := func(name string, value int64) {
		dst = append(append(append(dst, `,"`...), name...), `":`...)
		dst = strconv.AppendInt(dst, value, 10)
	}
	f := p.function
	dst = append(dst, `{"FunctionName":`...)
	dst, _ = jsontext.AppendQuote(dst, f.Name)
	quote("FunctionArn", p.arn)
	quote("Version", Version)
	quote("Runtime", "provided.al2023")
	quote("Handler", "bootstrap")
	quote("Role", "arn:aws:iam::"+p.options.AccountID+":role/"+f.Name)
	quote("PackageType", "Zip")
	quote("State", "Active")
	quote("LastUpdateStatus", "Successful")
	number("MemorySize", int64(f.MemoryMB))
	number("Timeout", int64(f.Timeout.Seconds()))
	dst = append(dst, `,"Environment":{"Variables":{`...)
	dst = appendVariables(dst, f.Environment)
	dst = append(dst, `}},"LoggingConfig":{"LogFormat":"`+f.LogFormat+`","LogGroup":`...)
	dst, _ = jsontext.AppendQuote(dst, "/aws/lambda/"+f.Name)
	return append(dst, `}}`...)
}

func appendVariables(dst []byte, variables map[string]string) []byte {
	for i, name := range slices.Sorted(maps.Keys(variables)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst, _ = jsontext.AppendQuote(dst, name)
		dst = append(dst, ':')
		dst, _ = jsontext.AppendQuote(dst, variables[name])
	}
	return dst
}

func writeError(w http.ResponseWriter, err error) {
	var refusal *Error
	if !errors.As(err, &refusal) {
		refusal = &Error{Type: "ServiceException", Message: err.Error(), Status: http.StatusInternalServerError}
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("X-Amzn-ErrorType", refusal.Type)
	if refusal.RetryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(int(refusal.RetryAfter.Seconds())))
	}
	blame := "User"
	if refusal.Status >= http.StatusInternalServerError {
		blame = "Service"
	}
	body := []byte(`{"Type":"` + blame + `",`)
	if refusal.Reason != "" {
		body = append(body, `"Reason":"`+refusal.Reason+`",`...)
	}
	// AWS spells the member with a small letter for some exceptions and with a capital one for others; clients accept both.
	body = append(body, `"message":`...)
	body, _ = jsontext.AppendQuote(body, refusal.Message)
	w.WriteHeader(refusal.Status)
	_, _ = w.Write(append(body, '}'))
}

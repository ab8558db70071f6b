package telemetry

import (
	"context"
	"io"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// levelVariable sets the least level that is logged.
const levelVariable = "MILLRACE_LOG_LEVEL"

// Logger returns the logger of a function: JSON lines on w, from the level in
// MILLRACE_LOG_LEVEL (debug, info, warn, error; info when it is not one of these), with
// the request id of the invocation when the context has one. Time and message are
// called timestamp and message, as Lambda's own JSON logs call them, so that its log
// level filter works.
func Logger(w io.Writer) *slog.Logger {
	options := slog.HandlerOptions{Level: level(os.Getenv(levelVariable)), ReplaceAttr: lambdacontext.ReplaceAttr}
	return slog.New(invocationHandler{slog.NewJSONHandler(w, &options)})
}

func level(name string) slog.Level {
	var l slog.Level // info
	if err := l.UnmarshalText([]byte(name)); err != nil {
		return slog.LevelInfo
	}
	return l
}

// invocationHandler adds the request id.
type invocationHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h invocationHandler) Handle(ctx context.Context, r slog.Record) error {
	if id := requestID(ctx); id != "" {
		r = r.Clone()
		r.AddAttrs(slog.String(memberRequestID, id))
	}
	return h.Handler.Handle(ctx, r) //nolint:wrapcheck // a decorator adds nothing to the error
}

// WithAttrs implements slog.Handler.
func (h invocationHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return invocationHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h invocationHandler) WithGroup(name string) slog.Handler {
	return invocationHandler{h.Handler.WithGroup(name)}
}

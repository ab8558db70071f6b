package chaos

import (
	"errors"
	"strings"

	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

var errLost = errors.New("the reply is lost")

// queueFaults make SQS fail with the weather.
func queueFaults(w *weather) *sqs.Faults {
	return &sqs.Faults{
		Intercept: func(op string, _ []byte) error {
			fault, risk := failing(op)
			if fault == "" || !w.strikes(fault, "") {
				return nil
			}
			w.risked(risk, 1)
			return refusal(w, op)
		},
		Lose: func(op string, _ []byte) error {
			fault, risk := losing(op)
			if fault == "" || !w.strikes(fault, "") {
				return nil
			}
			w.risked(risk, 1)
			return errLost
		},
		Entry: func(string, []byte) error {
			if !w.strikes(FailEntry, "") {
				return nil
			}
			w.risked(riskEntry, 1)
			return sqs.Unavailable()
		},
	}
}

// refusal is throttling, which SDKs retry slowly, or a failure, in turn.
func refusal(w *weather, op string) error {
	if w.plan.roll("refusal "+op, w.count("refusal "+op)) < 0.5 { //nolint:mnd // half
		return sqs.Throttled()
	}
	return sqs.Unavailable()
}

// failing returns the fault that refuses an operation, and what that puts at risk.
func failing(op string) (Fault, risk) {
	switch {
	case strings.HasPrefix(op, "SendMessage"):
		return FailSend, riskSend
	case strings.HasPrefix(op, "DeleteMessage"):
		return FailDelete, riskDelete
	case op == "ReceiveMessage":
		return FailReceive, ""
	}
	return "", ""
}

// losing returns the fault that loses the reply of an operation, and what that puts at risk.
func losing(op string) (Fault, risk) {
	switch {
	case strings.HasPrefix(op, "SendMessage"):
		return LoseSend, riskSend
	case strings.HasPrefix(op, "DeleteMessage"):
		return LoseDelete, riskDelete
	case op == "ReceiveMessage":
		return LoseReceive, ""
	}
	return "", ""
}

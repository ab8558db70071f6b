package generic

import (
	"net/http"
	"strconv"

	"github.com/millrace-dev/millrace/pkg/receiver"
)

// Reply answers what was accepted, and item by item what was not.
func (*Receiver) Reply(w http.ResponseWriter, _ *receiver.Request, answer receiver.Answer) {
	if answer.Err != nil {
		receiver.WriteError(w, answer.Err)
		return
	}
	status := http.StatusOK
	if len(answer.Decoded.Events) == 0 && len(answer.Decoded.Refused) > 0 {
		status = http.StatusBadRequest
	}
	receiver.WriteJSON(w, status, appendReply(nil, &answer.Decoded))
}

func appendReply(dst []byte, d *receiver.Decoded) []byte {
	dst = append(dst, `{"accepted":`...)
	dst = strconv.AppendInt(dst, int64(len(d.Events)), 10)
	dst = append(dst, `,"refused":[`...)
	for i := range d.Refused {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendRefusal(dst, &d.Refused[i])
	}
	return append(dst, "]}\n"...)
}

func appendRefusal(dst []byte, r *receiver.Refusal) []byte {
	dst = append(dst, `{"position":`...)
	dst = strconv.AppendInt(dst, int64(r.Position), 10)
	if r.ID != "" {
		dst = append(dst, `,"id":`...)
		dst = receiver.AppendQuote(dst, receiver.Excerpt(r.ID))
	}
	dst = append(dst, `,"cause":`...)
	dst = receiver.AppendQuote(dst, r.Cause)
	return append(dst, '}')
}

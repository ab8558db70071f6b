package chaos

import "bytes"

// lateness counts what flushes say of calls that their own deadline, or their patience, cut off. The world cannot see that: on a machine that is
// too busy no fault needs to hit for it. It excuses duplicates, and nothing else.
type lateness struct{ weather *weather }

// Write takes a line of a function's log.
func (l lateness) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("deadline exceeded")) {
		for text, r := range map[string]risk{
			"pack comes back":           riskLate,
			"dedup store did not learn": riskUnsettled,
			"dedup store is away":       riskUnasked,
		} {
			if bytes.Contains(line, []byte(text)) {
				l.weather.risked(r, 1)
			}
		}
	}
	return len(line), nil
}

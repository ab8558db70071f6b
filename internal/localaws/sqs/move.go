package sqs

import (
	"context"
	"encoding/base64"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
)

// moveTask moves the visible messages of a dead-letter queue elsewhere, at a limited rate.
type moveTask struct {
	id     string
	source *liveQueue
	// targetARN is where to; empty means back to the queue each message came from.
	targetARN string
	// perSecond is the rate that was asked for, 0 when none was.
	perSecond     int
	started       time.Time
	toMove, moved int
	status        string
	failure       string
	timer         *time.Timer
}

// Status values of a task (ListMessageMoveTasks reference).
const (
	moveRunning   = "RUNNING"
	moveCompleted = "COMPLETED"
	moveCancelled = "CANCELLED"
	moveFailed    = "FAILED"
)

const (
	// moveStep is the time between two steps of a task, longer for rates below 50 a second.
	moveStep = 20 * time.Millisecond
	// keptTasks is how many finished tasks of a queue are remembered; ListMessageMoveTasks shows at most ten.
	keptTasks = 10
)

// taskReference is what a task handle says, in base64 of JSON as with AWS.
type taskReference struct {
	TaskID    string `json:"taskId"`
	SourceARN string `json:"sourceArn"`
}

func (t *moveTask) handle() string {
	text, err := json.Marshal(taskReference{t.id, t.source.arn})
	if err != nil {
		return "" // two plain strings always marshal
	}
	return base64.StdEncoding.EncodeToString(text)
}

func (s *Service) startMessageMoveTask(_ context.Context, _ call, in *startMoveInput) (*moveHandle, error) {
	if in.SourceARN == "" {
		return nil, errMissing("SourceArn")
	}
	rate := valueOr(in.MaxPerSecond, MaxMoveRate)
	if rate < 1 || rate > MaxMoveRate {
		return nil, errRange("MaxNumberOfMessagesPerSecond", int64(rate), 1, MaxMoveRate)
	}
	s.mu.Lock()
	defer s.unlock()
	source, err := s.moveSource(in.SourceARN)
	if err != nil {
		return nil, err
	}
	if in.DestinationARN != "" && s.byARN(in.DestinationARN) == nil {
		return nil, errNotFound("The resource that you specified for the DestinationArn parameter doesn't exist.")
	}
	if source.runningTask() != nil {
		return nil, errParameter("There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
	}
	now := time.Now()
	s.settle(source, now)
	task := &moveTask{
		id: newID(), source: source, targetARN: in.DestinationARN, perSecond: valueOr(in.MaxPerSecond, 0),
		started: now, toMove: source.visible, status: moveRunning,
	}
	source.tasks = append(source.tasks, task)
	source.tasks = source.tasks[max(0, len(source.tasks)-keptTasks):]
	task.timer = time.AfterFunc(task.interval(), func() { s.moveSome(task) })
	return &moveHandle{task.handle()}, nil
}

// moveSource returns the queue if some queue's redrive policy names it.
func (s *Service) moveSource(arn string) (*liveQueue, error) {
	source := s.byARN(arn)
	if source == nil {
		return nil, errNotFound("The resource that you specified for the SourceArn parameter doesn't exist.")
	}
	for _, q := range s.queues {
		if q.settings.redrive.targetARN == arn {
			return source, nil
		}
	}
	return nil, errParameter("Source queue must be configured as a Dead Letter Queue.")
}

func (q *liveQueue) runningTask() *moveTask {
	if i := slices.IndexFunc(q.tasks, func(t *moveTask) bool { return t.status == moveRunning }); i >= 0 {
		return q.tasks[i]
	}
	return nil
}

func (t *moveTask) rate() int {
	if t.perSecond == 0 {
		return MaxMoveRate
	}
	return t.perSecond
}

func (t *moveTask) interval() time.Duration {
	return max(moveStep, time.Second/time.Duration(t.rate()))
}

// moveSome moves as many messages as the rate allows by now.
func (s *Service) moveSome(t *moveTask) {
	s.mu.Lock()
	defer s.unlock()
	if s.closed || t.status != moveRunning || s.queues[t.source.name] != t.source || s.journal.Err() != nil {
		return
	}
	now := time.Now()
	s.settle(t.source, now)
	defer s.ready(t.source, now)
	allowed := int(now.Sub(t.started).Seconds() * float64(t.rate()))
	for t.moved < min(allowed, t.toMove) && s.moveOne(t, now) {
	}
	if t.status == moveRunning && (t.moved == t.toMove || t.source.visible == 0) {
		t.status = moveCompleted
	}
	if t.status == moveRunning {
		t.timer.Reset(t.interval())
	}
}

// moveOne moves the next message, as a new one: AWS gives redriven messages a new id, time and receive count.
func (s *Service) moveOne(t *moveTask, now time.Time) bool {
	r := t.source.pull()
	if r == nil {
		return false
	}
	arn := t.targetARN
	if arn == "" {
		arn = r.sourceARN
	}
	target := s.byARN(arn)
	if target == nil {
		t.source.restore(r)
		t.status, t.failure = moveFailed, legacyPrefix+"NonExistentQueue"
		if arn == "" {
			t.failure = "CouldNotDetermineMessageSource"
		}
		return false
	}
	r.state = stateGone
	t.source.drop(r)
	moved := *r.payload
	moved.id, moved.sent = newID(), now
	target.put(now, &record{payload: &moved}, 0)
	s.ready(target, now)
	t.moved++
	return true
}

func (s *Service) cancelMessageMoveTask(_ context.Context, _ call, in *moveHandle) (*cancelMoveOutput, error) {
	if in.TaskHandle == "" {
		return nil, errMissing("TaskHandle")
	}
	var reference taskReference
	text, err := base64.StdEncoding.DecodeString(in.TaskHandle)
	if err != nil || json.Unmarshal(text, &reference) != nil || reference == (taskReference{}) {
		return nil, errParameter("Value for parameter TaskHandle is invalid.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	source := s.byARN(reference.SourceARN)
	if source == nil {
		return nil, errNotFound("The resource that you specified for the SourceArn parameter doesn't exist.")
	}
	task := source.runningTask()
	if task == nil || task.id != reference.TaskID {
		return nil, errNotFound("Task does not exist.")
	}
	task.timer.Stop()
	task.status = moveCancelled
	return &cancelMoveOutput{task.moved}, nil
}

func (s *Service) listMessageMoveTasks(_ context.Context, _ call, in *listMovesInput) (*listMovesOutput, error) {
	if in.SourceARN == "" {
		return nil, errMissing("SourceArn")
	}
	most := valueOr(in.MaxResults, 1)
	if most < 1 || most > keptTasks {
		return nil, errRange("MaxResults", int64(most), 1, keptTasks)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	source := s.byARN(in.SourceARN)
	if source == nil {
		return nil, errNotFound("The resource that you specified for the SourceArn parameter doesn't exist.")
	}
	out := new(listMovesOutput)
	for _, task := range slices.Backward(source.tasks) {
		if len(out.Results) == most {
			break
		}
		out.Results = append(out.Results, task.show())
	}
	return out, nil
}

// show describes a task; the handle is shown only while it can still be cancelled.
func (t *moveTask) show() moveStatus {
	status := moveStatus{
		Status: t.status, SourceARN: t.source.arn, DestinationARN: t.targetARN, MaxPerSecond: t.perSecond,
		Moved: t.moved, ToMove: t.toMove, FailureReason: t.failure, StartedMillis: t.started.UnixMilli(),
	}
	if t.status == moveRunning {
		status.TaskHandle = t.handle()
	}
	return status
}

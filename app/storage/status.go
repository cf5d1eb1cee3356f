package storage

import "time"

// Status is where files are and what is being done about it.
type Status struct {
	At       string   `json:"at"`            // where files are; in a move, where it began
	Settings string   `json:"settings"`      // where the settings say
	Set      []string `json:"set,omitempty"` // settings to change so that they say it too, as key = "value"

	To       string `json:"to,omitempty"`       // where files are being moved
	Phase    string `json:"phase,omitempty"`    // of the move: counting, copying or switching
	Files    int64  `json:"files,omitempty"`    // copied
	Bytes    int64  `json:"bytes,omitempty"`    // of them, and of those under way
	AllFiles int64  `json:"allFiles,omitempty"` // to copy altogether; 0: not known
	AllBytes int64  `json:"allBytes,omitempty"`
	Waiting  string `json:"waiting,omitempty"` // why it does not go on for now
	Failed   int    `json:"failed,omitempty"`  // files that cannot be copied

	Left   string    `json:"left,omitempty"` // what is there is not needed any more
	Remove string    `json:"remove,omitempty"`
	Moved  time.Time `json:"moved,omitzero"`
}

// Status says where files are. It needs no Open.
func (v *Storage) Status() (s Status, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	st := v.state
	at, err := v.at(&st)
	if err != nil {
		return s, err
	}
	says, err := Configured(&v.cfg)
	if err != nil {
		return s, err
	}
	s = Status{At: at.String(), Settings: says.String(), Set: advise(at, &v.cfg), Moved: st.Moved}
	if st.Left != "" {
		left, err := decode(st.Left, &v.cfg)
		if err != nil {
			return s, err
		}
		s.Left, s.Remove = left.String(), removal(left)
	}
	if st.To == "" {
		return s, nil
	}
	to, err := decode(st.To, &v.cfg)
	if err != nil {
		return s, err
	}
	s.To, s.Phase, s.Set = to.String(), "copying", nil
	s.Files, s.Bytes = st.Files, st.Bytes+v.live.Load()
	s.Waiting, s.Failed = v.news.waiting, v.news.failed
	switch {
	case st.Switched:
		s.Phase = "switching"
	case v.news.counting:
		s.Phase = "counting"
	case v.news.counted: // files that came since, and those that were sent again, are more
		s.AllFiles, s.AllBytes = max(v.news.files, s.Files), max(v.news.bytes, s.Bytes)
	}
	return s, nil
}

package corpus

import ("testing";"math")

func TestSources(t *testing.T) {
	for _, c := range All() {
		if c.Soak && c.Name=="two-hours.mp4" || c.Dark || c.Fate!=Plays { continue }
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			f, err := Decode(c.File(t), 160, 90, false, "")
			if err != nil { t.Fatal(err) }
			claps := f.Claps()
			if c.Mute { t.Log(len(f.All), claps); return }
			beeps, err := Beeps(c.File(t), 0, false)
			if err != nil { t.Fatal(err) }
			d, err := Apart(claps, beeps)
			t.Logf("%d %.3f %.3f apart %.3f %v", len(f.All), claps, beeps, d, err)
			_ = math.Abs
		})
	}
}

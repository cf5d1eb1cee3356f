//go:build bench

package bench_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"picora/store/blob/blobtest"
	"picora/store/blob/s3"
)

const objectSize = int64(50) << 20

// TestUploadsReadFromABucket reads an object of 50 MiB through Picora and from the S3
// server, in turn and with the same client. All three share the machine, so what Picora's
// processor time costs shows in full.
func TestUploadsReadFromABucket(t *testing.T) {
	p, through := readFromABucket(t, blobtest.StartS3(t), 25)

	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	idle := memory(t, p.Process.Pid, "VmRSS")
	for range 3 {
		os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.Process.Pid), []byte("5"), 0) // forget the peak
		together(64, func() { drain(t, client, through) })
		t.Logf("64 readers: peak RSS %.1f MB above idle, which was %.1f MB", memory(t, p.Process.Pid, "VmHWM")-idle, idle)
	}
}

// TestUploadsReadFromABucketOverALink is the same with the S3 server behind a link of a
// known rate, as buckets are: in a network namespace of its own, at the other end of a pair
// of virtual Ethernet devices.
func TestUploadsReadFromABucketOverALink(t *testing.T) {
	for i, link := range []struct {
		rate   string
		rounds int
	}{{"1gbit", 5}, {"10gbit", 25}} {
		t.Run(link.rate, func(t *testing.T) {
			const here, there = "169.254.231.1", "169.254.231.2" // RFC 3927: never routed
			name := fmt.Sprintf("pic%d-%d", os.Getpid(), i)
			for _, line := range []string{
				"ip netns add " + name,
				"ip link add " + name + "a type veth peer name " + name + "b",
				"ip link set " + name + "b netns " + name,
				"ip addr add " + here + "/30 dev " + name + "a",
				"ip link set " + name + "a up",
				"ip -n " + name + " addr add " + there + "/30 dev " + name + "b",
				"ip -n " + name + " link set " + name + "b up",
				"tc -n " + name + " qdisc add dev " + name + "b root tbf rate " + link.rate + " burst 256kb latency 50ms",
			} {
				words := strings.Fields(line)
				out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
				if strings.Contains(line, "netns add") {
					if err != nil {
						t.Skipf("no link without the rights of root: %s", out)
					}
					t.Cleanup(func() {
						exec.Command("ip", "link", "del", name+"a").Run()
						exec.Command("ip", "netns", "del", name).Run()
					})
				} else if err != nil {
					t.Fatalf("%s: %v %s", line, err, out)
				}
			}
			readFromABucket(t, blobtest.StartS3At(t, there+":9000", []string{"ip", "netns", "exec", name}), link.rounds)
		})
	}
}

// readFromABucket compares rates, with one reader and with eight, also with nginx as a proxy
// in Picora's place, and returns the process and an address of the object.
func readFromABucket(t *testing.T, g *blobtest.S3, rounds int) (*program, string) {
	p := start(t, t.TempDir(), -1, "PICORA_UPLOAD_MAX_BYTES="+strconv.FormatInt(objectSize, 10),
		"PICORA_BLOBS_BACKEND=s3", "PICORA_S3_ENDPOINT=http://"+g.Addr, "PICORA_S3_REGION=us-east-1", "PICORA_S3_BUCKET="+g.Bucket,
		"PICORA_S3_ACCESS_KEY="+g.Access, "PICORA_S3_SECRET_KEY="+g.Secret)
	sendHuge(t, p.url, p.key, objectSize, 1)
	var list struct {
		Data struct{ Items []struct{ URL string } }
	}
	l := dial(t, p.url, p.key)
	_, b := l.send("GET", "/v1/images", nil, 0, http.StatusOK)
	if err := json.Unmarshal(b, &list); err != nil || len(list.Data.Items) != 1 {
		t.Fatalf("%v %s", err, b)
	}
	through := p.url + list.Data.Items[0].URL[strings.LastIndex(list.Data.Items[0].URL, "/"):]
	direct := presigned(t, g)
	nginx := startNginx(t, -1, "upstream bucket { server "+g.Addr+"; keepalive 64; }",
		`location / { proxy_pass http://bucket; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host `+g.Addr+`;
		proxy_buffer_size 64k; proxy_buffers 32 64k; proxy_busy_buffers_size 1m; proxy_max_temp_file_size 0; }`)
	peer := strings.Replace(direct, g.Addr, nginx, 1)

	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	for range 3 { // warm
		drain(t, client, through)
		drain(t, client, direct)
		drain(t, client, peer)
	}
	for _, readers := range []int{1, 8} {
		var ours, theirs, peers []float64
		before := worked(t, p.Process.Pid)
		for range rounds {
			ours = append(ours, together(readers, func() { drain(t, client, through) }))
			theirs = append(theirs, together(readers, func() { drain(t, client, direct) }))
			peers = append(peers, together(readers, func() { drain(t, client, peer) }))
		}
		t.Logf("GET of 50 MiB, %d at a time, median of %d: through Picora %.0f MB/s, from the S3 server %.0f MB/s, ratio %.2f (target >= 0.9); through nginx %.0f MB/s, ratio %.2f",
			readers, rounds, median(ours), median(theirs), median(ours)/median(theirs), median(peers), median(peers)/median(theirs))
		t.Logf("Picora worked %.0f ms for each GB", (worked(t, p.Process.Pid)-before)*1e12/float64(int64(readers*rounds)*objectSize))
	}
	return p, through
}

// worked is the processor time of a process, in seconds.
func worked(t *testing.T, pid int) float64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ = bytes.Cut(text, []byte(") "))
	ticks := int64(0)
	for _, field := range strings.Fields(string(text))[11:13] { // utime, stime
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return float64(ticks) / 100
}

// presigned is an address of the only object of the bucket.
func presigned(t *testing.T, g *blobtest.S3) string {
	t.Helper()
	s, err := s3.New(s3.Options{Endpoint: g.Addr, Region: "us-east-1", Bucket: g.Bucket, AccessKey: g.Access, SecretKey: g.Secret, PathStyle: true})
	if err != nil {
		t.Fatal(err)
	}
	key := ""
	for info, err := range s.List(context.Background(), "", "") {
		if err != nil || key != "" || info.Size != objectSize {
			t.Fatalf("%+v after %q: %v", info, key, err)
		}
		key = info.Key
	}
	address, err := s.Presign(context.Background(), key, "image/jpeg", "", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 256<<10); return &b }}

// drain reads an address to its end.
func drain(t *testing.T, c *http.Client, address string) {
	res, err := c.Get(address)
	if err != nil {
		t.Error(err)
		return
	}
	defer res.Body.Close()
	b := buffers.Get().(*[]byte)
	defer buffers.Put(b)
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, res.Body, *b)
	if err != nil || res.StatusCode != http.StatusOK || n != objectSize {
		t.Errorf("%d, %d bytes, %v", res.StatusCode, n, err)
	}
}

// together has so many do something at the same time, and returns the rate of all in MB a
// second.
func together(n int, do func()) float64 {
	var all sync.WaitGroup
	begin := time.Now()
	for range n {
		all.Go(do)
	}
	all.Wait()
	return rate(int64(n)*objectSize, time.Since(begin))
}

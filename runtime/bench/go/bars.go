// Go's program: the workloads of ../workloads.cpp in Go.
//
// It prints the figures of one workload in one line; two where it is measured twice in the same process.
package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Waiting for the end of goroutines that tell nobody: see ../workloads.cpp.
const yieldsToTheEnd = 4

func perOne(start time.Time, count int) float64 {
	return float64(time.Since(start).Nanoseconds()) / float64(count)
}

func spawnEmpty(count int) float64 {
	start := time.Now()
	for i := 0; i < count; i++ {
		go func() {}()
	}
	for i := 0; i < yieldsToTheEnd; i++ {
		runtime.Gosched()
	}
	return perOne(start, count)
}

func spawnWaitGroup(count int) float64 {
	start := time.Now()
	var group sync.WaitGroup
	for i := 0; i < count; i++ {
		group.Add(1)
		go func() { group.Done() }()
	}
	group.Wait()
	return perOne(start, count)
}

func spawnAndWait(count int) float64 {
	start := time.Now()
	for i := 0; i < count; i++ {
		var group sync.WaitGroup
		group.Add(1)
		go func() { group.Done() }()
		group.Wait()
	}
	return perOne(start, count)
}

func yieldInTurns(count int) float64 {
	const goroutines = 2
	yields := count / goroutines
	start := time.Now()
	var group sync.WaitGroup
	for i := 0; i < goroutines; i++ {
		group.Add(1)
		go func() {
			for n := 0; n < yields; n++ {
				runtime.Gosched()
			}
			group.Done()
		}()
	}
	group.Wait()
	return perOne(start, yields*goroutines)
}

func residentBytes() float64 {
	file, err := os.Open("/proc/self/statm")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	defer file.Close()
	var size, resident int
	if _, err := fmt.Fscan(file, &size, &resident); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	return float64(resident) * float64(os.Getpagesize())
}

func bytesPerParked(count int) float64 {
	before := residentBytes()
	gate := make(chan int)
	var group sync.WaitGroup
	for i := 0; i < count; i++ {
		group.Add(1)
		go func() {
			<-gate
			group.Done()
		}()
	}
	for i := 0; i < yieldsToTheEnd; i++ {
		runtime.Gosched()
	}
	after := residentBytes()
	if runtime.NumGoroutine() != count+1 {
		fmt.Fprintln(os.Stderr, "not every goroutine is parked")
		os.Exit(3)
	}
	close(gate)
	group.Wait()
	return (after - before) / float64(count)
}

func peakBytes() float64 {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return float64(usage.Maxrss) * 1024
}

func pingPong(count int) float64 {
	there := make(chan int)
	back := make(chan int)
	start := time.Now()
	go func() {
		for v := range there {
			back <- v + 1
		}
	}()
	done := make(chan int)
	go func() {
		value := 0
		for i := 0; i < count; i++ {
			there <- value
			value = <-back
		}
		close(there)
		done <- value
	}()
	if <-done != count {
		os.Exit(3)
	}
	return perOne(start, count)
}

func buffered(count int) float64 {
	ch := make(chan int, 128)
	start := time.Now()
	go func() {
		for i := 0; i < count; i++ {
			ch <- i
		}
		close(ch)
	}()
	done := make(chan int)
	go func() {
		received := 0
		for range ch {
			received++
		}
		done <- received
	}()
	if <-done != count {
		os.Exit(3)
	}
	return perOne(start, count)
}

func selectOfTwo(count int) float64 {
	a := make(chan int)
	b := make(chan int)
	start := time.Now()
	for _, ch := range []chan int{a, b} {
		go func(ch chan int) {
			for i := 0; i < count/2; i++ {
				ch <- i
			}
		}(ch)
	}
	done := make(chan int)
	go func() {
		sum := 0
		for i := 0; i < count/2*2; i++ {
			select {
			case v := <-a:
				sum += v
			case v := <-b:
				sum += v
			}
		}
		done <- sum
	}()
	<-done
	return perOne(start, count)
}

func fanIn(count int) float64 {
	const atATime = 1000
	start := time.Now()
	for done := 0; done < count; done += atATime {
		var group sync.WaitGroup
		for i := 0; i < atATime; i++ {
			group.Add(1)
			go func() { group.Done() }()
		}
		group.Wait()
	}
	return perOne(start, count)
}

func sieve(count int) float64 {
	start := time.Now()
	from := make(chan int)
	go func(out chan int) {
		for i := 2; ; i++ {
			out <- i
		}
	}(from)
	for n := 0; n < count; n++ {
		prime := <-from
		next := make(chan int)
		go func(in, out chan int) {
			for {
				i := <-in
				if i%prime != 0 {
					out <- i
				}
			}
		}(from, next)
		from = next
	}
	return perOne(start, count)
}

func skynetNode(out chan int, number, leaves int) {
	if leaves == 1 {
		out <- number
		return
	}
	const children = 10
	in := make(chan int)
	for i := 0; i < children; i++ {
		go skynetNode(in, number+i*(leaves/children), leaves/children)
	}
	sum := 0
	for i := 0; i < children; i++ {
		sum += <-in
	}
	out <- sum
}

func skynet(count int) float64 {
	start := time.Now()
	out := make(chan int)
	go skynetNode(out, 0, count)
	if <-out != count*(count-1)/2 {
		os.Exit(3)
	}
	return perOne(start, count)
}

func contendedMutex(count, goroutines int) float64 {
	var mutex sync.Mutex
	value := 0
	start := time.Now()
	var group sync.WaitGroup
	for i := 0; i < goroutines; i++ {
		group.Add(1)
		go func() {
			for k := 0; k < count/goroutines; k++ {
				mutex.Lock()
				value++
				mutex.Unlock()
			}
			group.Done()
		}()
	}
	group.Wait()
	return perOne(start, count)
}

func mutexOf2(count int) float64   { return contendedMutex(count, 2) }
func mutexOf100(count int) float64 { return contendedMutex(count, 100) }

func timers(count int) float64 {
	var group sync.WaitGroup
	group.Add(count)
	start := time.Now()
	for i := 0; i < count; i++ {
		time.AfterFunc(10*time.Millisecond, func() { group.Done() })
	}
	group.Wait()
	return perOne(start.Add(10*time.Millisecond), count)
}

func sleepers(count int) float64 {
	start := time.Now()
	var group sync.WaitGroup
	for i := 0; i < count; i++ {
		group.Add(1)
		go func() {
			time.Sleep(10 * time.Millisecond)
			group.Done()
		}()
	}
	group.Wait()
	return perOne(start.Add(10*time.Millisecond), count)
}

func echo(count, connections int) float64 {
	const messageBytes = 128
	fail := func(err error) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail(err)
	}
	go func() {
		for {
			stream, err := listener.Accept()
			if err != nil {
				fail(err)
			}
			go func() {
				buffer := make([]byte, 4096)
				for {
					n, err := stream.Read(buffer)
					if err != nil {
						break
					}
					if _, err := stream.Write(buffer[:n]); err != nil {
						break
					}
				}
				stream.Close()
			}()
		}
	}()
	each := count / connections
	begin := make(chan int)
	var connected, done sync.WaitGroup
	connected.Add(connections)
	done.Add(connections)
	for i := 0; i < connections; i++ {
		go func() {
			stream, err := net.Dial("tcp", listener.Addr().String())
			if err != nil {
				fail(err)
			}
			connected.Done()
			<-begin
			message := make([]byte, messageBytes)
			for n := 0; n < each; n++ {
				if _, err := stream.Write(message); err != nil {
					fail(err)
				}
				if _, err := io.ReadFull(stream, message); err != nil {
					fail(err)
				}
			}
			stream.Close()
			done.Done()
		}()
	}
	connected.Wait()
	start := time.Now()
	close(begin)
	done.Wait()
	return perOne(start, each*connections)
}

func echoOf64(count int) float64   { return echo(count, 64) }
func echoOf1000(count int) float64 { return echo(count, 1000) }

// As in ../recursion.h: 64 bytes of locals in each frame.
//
//go:noinline
func recursion(depth int) int {
	var locals [8]int
	locals[depth%8] = depth
	if depth == 0 {
		return 0
	}
	below := recursion(depth - 1)
	return below + locals[depth%8]
}

func firstRecursion(depth int) float64 {
	time.Sleep(10 * time.Millisecond) // as the others: kSettleMilliseconds
	result := make(chan float64)
	go func() {
		start := time.Now()
		if recursion(depth) != depth*(depth+1)/2 {
			os.Exit(3)
		}
		result <- float64(time.Since(start).Nanoseconds()) / 1000
	}()
	return <-result
}

func blockingCalls(calls int) float64 {
	const goroutines = 1000
	start := time.Now()
	var group sync.WaitGroup
	for i := 0; i < goroutines; i++ {
		group.Add(1)
		go func() {
			millisecond := syscall.Timespec{Nsec: 1000000}
			for k := 0; k < calls; k++ {
				syscall.Nanosleep(&millisecond, nil)
			}
			group.Done()
		}()
	}
	group.Wait()
	return perOne(start, calls*goroutines)
}

// Passes over a crowd: see ../workloads.cpp.
func passesOf(count int) int {
	const together = 1000000
	if count > together {
		return 1
	}
	return together / count
}

func spawnCrowd(count int) float64 {
	spawnWaitGroup(count)
	passes := passesOf(count)
	sum := 0.0
	for pass := 0; pass < passes; pass++ {
		sum += spawnWaitGroup(count)
	}
	return sum / float64(passes)
}

func wakeCrowd(count int) float64 {
	gate := make(chan int)
	var group sync.WaitGroup
	for i := 0; i < count; i++ {
		group.Add(1)
		go func() {
			for range gate {
			}
			group.Done()
		}()
	}
	for i := 0; i < yieldsToTheEnd; i++ {
		runtime.Gosched()
	}
	wakes := passesOf(count) * count
	start := time.Now()
	for i := 0; i < wakes; i++ {
		gate <- 0
	}
	ns := perOne(start, wakes)
	close(gate)
	group.Wait()
	return ns
}

func main() {
	name := flag.String("run", "", "the workload")
	procs := flag.Int("procs", 1, "GOMAXPROCS")
	count := flag.Int("count", 1000000, "goroutines")
	flag.Parse()
	runtime.GOMAXPROCS(*procs)

	times := 1
	peak := false // with the peak of memory as a second figure
	var measure func(int) float64
	switch *name {
	case "spawn":
		measure = spawnEmpty
		times = 2 // on fresh memory, and again
	case "spawn-wait-group":
		measure = spawnWaitGroup
		times = 2
	case "spawn-one":
		measure = spawnAndWait
	case "yield":
		measure = yieldInTurns
	case "memory":
		measure = bytesPerParked
	case "ping-pong":
		measure, peak = pingPong, true
	case "buffered":
		measure, peak = buffered, true
	case "select":
		measure, peak = selectOfTwo, true
	case "fan-in":
		measure, peak = fanIn, true
	case "sieve":
		measure, peak = sieve, true
	case "skynet":
		measure, peak = skynet, true
	case "mutex-2":
		measure = mutexOf2
	case "mutex-100":
		measure = mutexOf100
	case "timers":
		measure, peak = timers, true
	case "sleepers":
		measure, peak = sleepers, true
	case "echo-64":
		measure, peak = echoOf64, true
	case "echo-1000":
		measure, peak = echoOf1000, true
	case "recursion":
		measure = firstRecursion
	case "syscalls":
		measure = blockingCalls
	case "spawn-crowd":
		measure = spawnCrowd
	case "wake-crowd":
		measure = wakeCrowd
	default:
		fmt.Fprintf(os.Stderr, "there is no workload %q\n", *name)
		os.Exit(2)
	}
	for i := 0; i < times; i++ {
		fmt.Printf("%.3f ", measure(*count))
	}
	if peak {
		fmt.Printf("%.3f ", peakBytes())
	}
	fmt.Println()
}

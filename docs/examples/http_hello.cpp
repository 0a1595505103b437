// An HTTP/1.1 server that says hello, and keeps connections open.
//
//   docs_http_hello [ADDRESS]     default 127.0.0.1:8080; port 0: any
#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "accepting.h"
#include "goro/goro.h"

namespace {

using namespace std::chrono_literals;

constexpr std::string_view kEndOfHead = "\r\n\r\n";
constexpr std::size_t kLongestHead = 8192;
constexpr std::string_view kBody = "hello\n";

// Reads up to the end of a request's head, and takes it out of `pending`, which keeps what came
// after it. Empty: no request comes any more.
std::string next_head(const goro::TcpStream& stream, std::string* pending) {
  std::array<std::byte, 2048> buffer;
  for (;;) {
    if (const std::size_t end = pending->find(kEndOfHead); end != std::string::npos) {
      std::string head = pending->substr(0, end + kEndOfHead.size());
      pending->erase(0, head.size());
      return head;
    }
    if (pending->size() > kLongestHead) return {};
    const std::size_t n = stream.read(buffer);
    if (n == 0) return {};
    pending->append(reinterpret_cast<const char*>(buffer.data()), n);
  }
}

bool keeps_alive(const std::string& head) {
  std::string lower = head;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (lower.find("\r\nconnection: close\r\n") != std::string::npos) return false;
  return lower.find(" http/1.1\r\n") != std::string::npos ||
         lower.find("\r\nconnection: keep-alive\r\n") != std::string::npos;
}

std::string answer_to(const std::string& head, bool keep) {
  const bool is_get = head.rfind("GET ", 0) == 0;
  std::string answer = is_get ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.1 405 Method Not Allowed\r\n";
  answer += "Content-Type: text/plain\r\nContent-Length: ";
  answer += std::to_string(is_get ? kBody.size() : 0);
  // A client of HTTP/1.0 that asked for it must be told.
  answer += keep ? "\r\nConnection: keep-alive\r\n\r\n" : "\r\nConnection: close\r\n\r\n";
  if (is_get) answer += kBody;
  return answer;
}

void serve(const goro::TcpStream& stream) {
  std::string pending;
  try {
    for (bool keep = true; keep;) {
      stream.set_read_deadline(goro::now() + 60s);  // for whoever says nothing
      const std::string head = next_head(stream, &pending);
      if (head.empty()) return;
      keep = head.rfind("GET ", 0) == 0 && keeps_alive(head);
      const std::string answer = answer_to(head, keep);
      stream.write(std::as_bytes(std::span(answer.data(), answer.size())));
    }
  } catch (const std::system_error&) {
    // Reset by the other side, or silent for too long.
  }
}

}  // namespace

int main(int argc, char** argv) {
  return run_server(argc > 1 ? argv[1] : "127.0.0.1:8080", serve);
}

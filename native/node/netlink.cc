// Messages: submissions, nf_tables transactions, dumps.
#include <linux/netlink.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "core/netlink/codec.h"
#include "core/netlink/dump.h"
#include "core/netlink/registry.h"
#include "core/netlink/submission.h"
#include "node/functions.h"

namespace netlink_ct::node {
namespace {

struct Request {
  const MessageType* type;
  uint16_t flags;
  Object body;
  std::string step;
  bool netfilter;
  std::vector<std::string> wanted;
};

Object& body_of(Napi::Env env, Value& message) {
  for (auto& [name, value] : std::get<Object>(message.data)) {
    auto* body = name == "body" ? std::get_if<Object>(&value.data) : nullptr;
    if (body != nullptr) return *body;
  }
  throw Napi::TypeError::New(env, "netlink-ct: wrong type: body");
}

// The body leaves the message.
Request request_of(Napi::Env env, Value& given) {
  const Fields message(env, given);
  const std::string name = message.text("type");
  const MessageType* type = message_type(name);
  if (type == nullptr) throw Napi::TypeError::New(env, "netlink-ct: no message type " + name);
  return {type,
          static_cast<uint16_t>(message.number("flags")),
          std::move(body_of(env, given)),
          message.find("step") == nullptr ? std::string() : message.text("step"),
          !name.starts_with("RTM_"),
          message.find("want") == nullptr ? std::vector<std::string>() : message.texts("want")};
}

std::vector<Request> requests_of(const Napi::Value& value) {
  Value messages = unpacked(value);
  auto* list = std::get_if<List>(&messages.data);
  if (list == nullptr) throw Napi::TypeError::New(value.Env(), "netlink-ct: not a list of messages");
  std::vector<Request> requests;
  requests.reserve(list->size());
  for (Value& message : *list) requests.push_back(request_of(value.Env(), message));
  return requests;
}

// The messages of `requests` at `positions`, sent over one socket; a body that cannot be encoded is that message's outcome.
struct Part {
  std::vector<size_t> positions;
  int protocol;
};

using Exchange = std::function<Result<std::vector<Outcome>>(Submission&)>;

Result<void> exchange(Home& home, Namespace& target, std::vector<Request>& requests, const Part& part, const Exchange& send,
                      std::vector<Outcome>& outcomes) {
  if (part.positions.empty()) return {};
  auto socket = target.socket(home, part.protocol);
  if (!socket) return socket.error();
  Submission submission(*socket.value());
  for (const size_t position : part.positions) {
    Request& request = requests[position];
    if (auto added =
            submission.add(*request.type, request.flags, request.body, std::move(request.step), std::move(request.wanted));
        !added) {
      added.error().index = static_cast<int>(position);
      return added.error();
    }
  }
  auto answered = send(submission);
  if (!answered) return answered.error();
  for (size_t index = 0; index < part.positions.size(); ++index) {
    Outcome& outcome = outcomes[part.positions[index]] = std::move(answered.value()[index]);
    if (outcome.error) outcome.error->index = static_cast<int>(part.positions[index]);
  }
  return {};
}

Napi::Value submit(const Napi::CallbackInfo& info) {
  const SharedNamespace target = unwrap(info[0]);
  auto requests = std::make_shared<std::vector<Request>>(requests_of(info[1]));
  return Environment::of(info.Env())
      .executor(info.Env())
      .submit<std::vector<Outcome>>(
          info.Env(),
          [target, requests](Home& home) -> Result<std::vector<Outcome>> {
            Part route{{}, NETLINK_ROUTE};
            Part netfilter{{}, NETLINK_NETFILTER};
            for (size_t index = 0; index < requests->size(); ++index) {
              ((*requests)[index].netfilter ? netfilter : route).positions.push_back(index);
            }
            std::vector<Outcome> outcomes(requests->size());
            for (const Part& part : {route, netfilter}) {
              auto done = exchange(
                  home, *target, *requests, part, [](Submission& submission) { return submission.run(Acknowledge::each_change); },
                  outcomes);
              if (!done) return done.error();
            }
            return outcomes;
          },
          [](Napi::Env env, std::vector<Outcome>& outcomes) -> Napi::Value { return outcomes_to_js(env, outcomes); });
}

Napi::Value transact(const Napi::CallbackInfo& info) {
  const SharedNamespace target = unwrap(info[0]);
  auto requests = std::make_shared<std::vector<Request>>(requests_of(info[1]));
  std::optional<uint32_t> generation;
  if (info[2].IsNumber()) generation = info[2].As<Napi::Number>().Uint32Value();
  return Environment::of(info.Env())
      .executor(info.Env())
      .submit<std::vector<Outcome>>(
          info.Env(),
          [target, requests, generation](Home& home) -> Result<std::vector<Outcome>> {
            Part all{{}, NETLINK_NETFILTER};
            for (size_t index = 0; index < requests->size(); ++index) all.positions.push_back(index);
            std::vector<Outcome> outcomes(requests->size());
            auto done = exchange(
                home, *target, *requests, all, [generation](Submission& submission) { return submission.commit(generation); },
                outcomes);
            if (!done) return done.error();
            if (const Error* error = first_error(outcomes)) return *error;
            return outcomes;
          },
          [](Napi::Env env, std::vector<Outcome>& outcomes) -> Napi::Value { return outcomes_to_js(env, outcomes); });
}

// The objects of a dump, those at the front taken already.
struct Found {
  PackedObjects objects;
  size_t taken = 0;
};

// Tells our Externals from those of other addons, and from namespace handles.
constexpr napi_type_tag found_tag{0x6e65746c696e6b63, 0x742d666f756e6400};

Napi::Value found_to_js(Napi::Env env, PackedObjects objects) {
  auto owned = std::make_unique<Found>(Found{std::move(objects)});
  // Throws in a worker that is being terminated.
  auto external =
      Napi::External<Found>::New(env, owned.get(), [](Napi::Env, Found* old) { const std::unique_ptr<Found> gone(old); });
  static_cast<void>(owned.release());
  external.TypeTag(&found_tag);
  return external;
}

Napi::Value take_objects(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsExternal() || !info[0].As<Napi::External<Found>>().CheckTypeTag(&found_tag))
    throw Napi::TypeError::New(env, "netlink-ct: not the objects of a dump");
  Found& found = *info[0].As<Napi::External<Found>>().Data();
  const size_t count = std::min<size_t>(info[1].ToNumber().Uint32Value(), found.objects.size() - found.taken);
  Packer packer;
  packer.begin_list(count);
  packer.add_packed(found.objects.between(found.taken, found.taken + count));
  found.taken += count;
  if (found.taken == found.objects.size()) found = {};
  return packed(env, packer.bytes());
}

Napi::Value dump_all(const Napi::CallbackInfo& info) {
  const SharedNamespace target = unwrap(info[0]);
  auto request = std::make_shared<Request>(std::move(requests_of(info[1]).at(0)));
  return Environment::of(info.Env())
      .executor(info.Env())
      .submit<Dump>(
          info.Env(),
          [target, request](Home& home) -> Result<Dump> {
            auto socket = target->socket(home, request->netfilter ? NETLINK_NETFILTER : NETLINK_ROUTE);
            if (!socket) return socket.error();
            return dump(*socket.value(), *request->type, request->body, Unknown::drop, request->wanted);
          },
          [](Napi::Env env, Dump& found) -> Napi::Value {
            auto out = Napi::Object::New(env);
            out.Set("found", found_to_js(env, std::move(found.objects)));
            out.Set("torn", found.torn);
            out.Set("readings", Napi::Number::New(env, found.readings));
            if (found.warning) out.Set("warning", warning_to_js(env, *found.warning));
            return out;
          });
}

// Once, at the start: what stands for them in packed values is their position.
Napi::Value names(const Napi::CallbackInfo& info) {
  auto array = Napi::Array::New(info.Env(), field_names().size());
  for (uint32_t at = 0; at < array.Length(); ++at) array.Set(at, std::string(field_names()[at]));
  return array;
}

Napi::Value statistics(const Napi::CallbackInfo& info) {
  auto& executor = Environment::of(info.Env()).executor(info.Env());
  auto out = Napi::Object::New(info.Env());
  out.Set("queued", Napi::Number::New(info.Env(), static_cast<double>(executor.queued())));
  out.Set("pending", Napi::Number::New(info.Env(), static_cast<double>(executor.pending())));
  return out;
}

}  // namespace

void export_netlink(Napi::Env env, Napi::Object exports) {
  add(env, exports, "submit", submit);
  add(env, exports, "transact", transact);
  add(env, exports, "dump", dump_all);
  add(env, exports, "takeObjects", take_objects);
  add(env, exports, "fieldNames", names);
  add(env, exports, "statistics", statistics);
}

}  // namespace netlink_ct::node

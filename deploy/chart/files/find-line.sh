# Prints a line as any service does, and looks for it in Loki for two minutes.
mark="$(date +%s)-$$-$HOSTNAME"
echo "{\"service\":\"helm-test\",\"level\":\"info\",\"message\":\"is it in Loki?\",\"mark\":\"$mark\"}"

set -- --silent --fail --max-time 10 --get "$LOKI_URL/loki/api/v1/query_range" \
  --data-urlencode "query={service_name=\"helm-test\"} |= \"$mark\""
[ -z "$LOKI_ORG_ID" ] || set -- "$@" --header "X-Scope-OrgID: $LOKI_ORG_ID"
[ -z "$LOKI_USER" ] || set -- "$@" --user "$LOKI_USER:$LOKI_PASSWORD"
[ -z "$LOKI_BEARER_TOKEN" ] || set -- "$@" --header "Authorization: Bearer $LOKI_BEARER_TOKEN"
[ -z "$LOKI_CERT_FILE" ] || set -- "$@" --cert "$LOKI_CERT_FILE" --key "$LOKI_KEY_FILE"

tries=60
while [ "$tries" -gt 0 ]; do
  # What Loki answers names the mark twice over, but only a found line has values.
  if curl "$@" | grep -q '"values":\[\['; then
    echo "Found in Loki."
    exit 0
  fi
  tries=$((tries - 1))
  sleep 2
done
echo "Not in Loki after two minutes: look at the agent of this node and at $LOKI_URL."
exit 1

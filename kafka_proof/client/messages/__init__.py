"""Requests that kafka-python 3.0.12 lacks, in its own form: a class, and its fields in NAME.json.

Source of the fields: https://kafka.apache.org/protocol (ConsumerGroupDescribe of KIP-848; ShareGroupDescribe and
DescribeShareGroupOffsets of KIP-932; StreamsGroupDescribe of KIP-1071; AddRaftVoter and RemoveRaftVoter of KIP-853;
UnregisterBroker of KIP-500; UnregisterController of KIP-1312). Where a broker lacks a request, sending it raises
IncompatibleBrokerVersion.
"""

from kafka.protocol.api_message import ApiMessage


class ConsumerGroupDescribeRequest(ApiMessage, load_json=__name__): ...  # type: ignore[call-arg, misc]


class ConsumerGroupDescribeResponse(ApiMessage, load_json=__name__): ...  # type: ignore[call-arg, misc]


class ShareGroupDescribeRequest(ApiMessage, load_json=__name__): ...  # type: ignore[call-arg, misc]


class ShareGroupDescribeResponse(ApiMessage, load_json=__name__): ...  # type: ignore[call-arg, misc]


class DescribeShareGroupOffsetsRequest(ApiMessage, load_json=__name__): ...  # type: ignore[call-arg, misc]


class DescribeShareGroupOffsetsResponse(ApiMessage, load_json=__name__): ...  # type: ignore[call-arg, misc]


class AddRaftVoterRequest(ApiMessage, load_json=__name__): ...  # type: ignore[call-arg, misc]


class AddRaftVoterResponse(ApiMessage, load_json=__name__): ...  # type: ignore[call-arg, misc]


class RemoveRaftVoterRequest(ApiMessage, load_json=__name__): ...  # type: ignore[call-arg, misc]


class RemoveRaftVoterResponse(ApiMessage, load_json=__name__): ...  # type: ignore[call-arg, misc]


class UnregisterBrokerRequest(ApiMessage, load_json=__name__): ...  # type: ignore[call-arg, misc]


class UnregisterBrokerResponse(ApiMessage, load_json=__name__): ...  # type: ignore[call-arg, misc]


class UnregisterControllerRequest(ApiMessage, load_json=__name__): ...  # type: ignore[call-arg, misc]


class UnregisterControllerResponse(ApiMessage, load_json=__name__): ...  # type: ignore[call-arg, misc]


class StreamsGroupDescribeRequest(ApiMessage, load_json=__name__): ...  # type: ignore[call-arg, misc]


class StreamsGroupDescribeResponse(ApiMessage, load_json=__name__): ...  # type: ignore[call-arg, misc]
